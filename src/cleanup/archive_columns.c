/*-------------------------------------------------------------------------
 *
 * archive_columns.c
 *	  Whether the rows of a table fit into the table they are archived in.
 *
 * Columns are matched by name.  The archive may have more of them, as long as
 * a row can do without; one that it lacks or has of another type would lose
 * what is archived, and so nothing is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "cleanup/target.h"
#include "core/compat.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

static const char *refuse_table(const OpsTarget *target, Form_pg_class archive);
static bool is_below(Oid relid, Oid ancestor);
static const char *refuse_columns(OpsTarget *target, int ncolumns);
static const char *refuse_column(const OpsTarget *target, Form_pg_attribute column);
static const char *refuse_missing(const OpsTarget *target, int ncolumns);

void
ops_target_match_archive(OpsTarget *target)
{
	Oid			relid = target->policy->archive;
	HeapTuple	archive = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	HeapTuple	table = SearchSysCache1(RELOID, ObjectIdGetDatum(target->relid));
	Form_pg_class form;
	char	   *schema;

	target->archive_problem = _("the archive table does not exist any more");
	if (HeapTupleIsValid(archive) && HeapTupleIsValid(table))
	{
		form = (Form_pg_class) GETSTRUCT(archive);
		schema = isTempNamespace(form->relnamespace) ? pstrdup("pg_temp") :
			get_namespace_name(form->relnamespace);
		target->archive_name = quote_qualified_identifier(schema ? schema : "?",
														  NameStr(form->relname));
		target->archive_problem = refuse_table(target, form);
		if (target->archive_problem == NULL)
			target->archive_problem = refuse_columns(target, ((Form_pg_class) GETSTRUCT(table))->relnatts);
		if (target->archive_problem == NULL)
			target->archive_problem = refuse_missing(target, form->relnatts);
	}
	if (HeapTupleIsValid(archive))
		ReleaseSysCache(archive);
	if (HeapTupleIsValid(table))
		ReleaseSysCache(table);
}

static const char *
refuse_table(const OpsTarget *target, Form_pg_class archive)
{
	if (archive->relkind != RELKIND_RELATION &&
		archive->relkind != RELKIND_PARTITIONED_TABLE)
		return psprintf(_("the archive %s is not an ordinary or partitioned table"),
						target->archive_name);
	if (archive->oid == target->relid || is_below(archive->oid, target->root) ||
		is_below(target->relid, archive->oid))
		return psprintf(_("the archive %s belongs to the tables that rows are deleted from"),
						target->archive_name);
	if (isOtherTempNamespace(archive->relnamespace))
		return psprintf(_("the archive %s is a temporary table of another session"),
						target->archive_name);
	if (target->persistence == RELPERSISTENCE_PERMANENT &&
		archive->relpersistence != RELPERSISTENCE_PERMANENT)
		return psprintf(_("the archive %s would not survive a crash, as the table does"),
						target->archive_name);
	if (pg_class_aclcheck(archive->oid, target->run_as, ACL_INSERT) != ACLCHECK_OK ||
		!ops_compat_can_use_schema(archive->relnamespace, target->run_as))
		return psprintf(_("role \"%s\" may not insert into the archive %s"),
						GetUserNameFromId(target->run_as, true),
						target->archive_name);
	return NULL;
}

/*
 * Whether a table is another one or a partition or child of it.
 */
static bool
is_below(Oid relid, Oid ancestor)
{
	ListCell   *lc;

	check_stack_depth();
	if (relid == ancestor)
		return true;
	if (!get_rel_relispartition(relid) && !has_superclass(relid))
		return false;
	foreach(lc, ops_target_children(ancestor))
	{
		if (is_below(relid, lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * Each column of the table has to have its like in the archive.
 */
static const char *
refuse_columns(OpsTarget *target, int ncolumns)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 1; i <= ncolumns; i++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM,
											ObjectIdGetDatum(target->relid),
											Int16GetDatum(i));
		Form_pg_attribute column;
		const char *problem = NULL;

		if (!HeapTupleIsValid(tuple))
			continue;
		column = (Form_pg_attribute) GETSTRUCT(tuple);
		if (!column->attisdropped)
		{
			problem = refuse_column(target, column);
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 quote_identifier(NameStr(column->attname)));
		}
		ReleaseSysCache(tuple);
		if (problem)
			return problem;
	}
	if (names.len == 0)
		return _("the table has no columns that could be archived");
	target->archive_columns = names.data;
	return NULL;
}

static const char *
refuse_column(const OpsTarget *target, Form_pg_attribute column)
{
	const char *name = NameStr(column->attname);
	HeapTuple	tuple = SearchSysCacheAttName(target->policy->archive, name);
	const char *problem = NULL;
	Form_pg_attribute copy;

	if (!HeapTupleIsValid(tuple))
		return psprintf(_("the archive %s has no column \"%s\""),
						target->archive_name, name);
	copy = (Form_pg_attribute) GETSTRUCT(tuple);
	if (copy->atttypid != column->atttypid ||
		(copy->atttypmod != -1 && copy->atttypmod != column->atttypmod))
		problem = psprintf(_("column \"%s\" is of type %s, but in the archive %s of type %s"),
						   name,
						   format_type_with_typemod(column->atttypid, column->atttypmod),
						   target->archive_name,
						   format_type_with_typemod(copy->atttypid, copy->atttypmod));
	else if (copy->attgenerated != '\0' ||
			 copy->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		problem = psprintf(_("column \"%s\" of the archive %s makes its values itself"),
						   name, target->archive_name);
	ReleaseSysCache(tuple);
	return problem;
}

/*
 * A column that only the archive has must be able to stay empty.
 */
static const char *
refuse_missing(const OpsTarget *target, int ncolumns)
{
	for (int i = 1; i <= ncolumns; i++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM,
											ObjectIdGetDatum(target->policy->archive),
											Int16GetDatum(i));
		Form_pg_attribute column;
		const char *problem = NULL;

		if (!HeapTupleIsValid(tuple))
			continue;
		column = (Form_pg_attribute) GETSTRUCT(tuple);
		if (!column->attisdropped && column->attnotnull &&
			!column->atthasdef && column->attidentity == '\0' &&
			get_attnum(target->relid, NameStr(column->attname)) == InvalidAttrNumber)
			problem = psprintf(_("column \"%s\" of the archive %s must not be null, and the table has no such column"),
							   NameStr(column->attname), target->archive_name);
		ReleaseSysCache(tuple);
		if (problem)
			return problem;
	}
	return NULL;
}

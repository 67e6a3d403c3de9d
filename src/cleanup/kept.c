/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  Rows that cannot go now, and those that need not stay with them.
 *
 * A statement that meets one row it cannot delete deletes none.  So the pages
 * of such a batch are tried one by one, those that fail are set aside and
 * visited again at the end, and what fails then is deleted row by row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cleanup/run.h"
#include "utils/memutils.h"

/* Rows of a page that turn out locked before the rest is left as well. */
#define VAIN_ATTEMPTS	8

static bool delete_page(OpsCleaning *run, BlockNumber block);
static OpsBatch one_page(BlockNumber block);
static bool visit_while_it_helps(OpsCleaning *run,
								 bool (*visit) (OpsCleaning *run,
												BlockNumber block));
static bool delete_singly(OpsCleaning *run, BlockNumber block);
static void note_error(OpsCleaning *run, const ErrorData *error);

/*
 * Errors that some rows are to blame for and that others need not suffer from:
 * something of theirs is locked, or a constraint or a trigger keeps them.
 */
bool
ops_is_of_rows(const ErrorData *error)
{
	return ops_is_lock_error(error) ||
		error->sqlerrcode == ERRCODE_RAISE_EXCEPTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
}

/*
 * Not the rows themselves are locked but others that go with them, or some
 * cannot go at all, so it has to be found out page by page which these are.
 */
bool
ops_delete_pages(OpsCleaning *run, const OpsBatch *batch)
{
	for (int i = 0; i < batch->nruns; i++)
	{
		BlockNumber block = batch->runs[i].first;

		ops_commit_run(run);
		for (; block <= batch->runs[i].last; block++)
		{
			if (!ops_may_go_on(run) || !delete_page(run, block))
				return false;
		}
	}
	return true;
}

static bool
delete_page(OpsCleaning *run, BlockNumber block)
{
	OpsBatch	batch = one_page(block);
	ErrorData  *error;

	if (!ops_begin_batch(run, &batch))
		return false;
	error = ops_delete_unlocked(run->deleter, &batch);
	if (error && ops_is_of_rows(error))
	{
		ops_set_aside(run, block);
		ops_commit_run(run);
		return true;
	}
	if (error)
	{
		ops_fail_run(run, error);
		return false;
	}
	return ops_finish_batch(run, &batch);
}

static OpsBatch
one_page(BlockNumber block)
{
	OpsBatch	batch = {.nruns = 1,.pages = 1};

	batch.runs[0].first = block;
	batch.runs[0].last = block;
	return batch;
}

/*
 * Visit the pages again that were set aside, last ones first, as long as that
 * helps: rows that refer to others of the table mostly lie behind them.  What
 * stays then is left for the next run.
 */
bool
ops_visit_again(OpsCleaning *run)
{
	return visit_while_it_helps(run, delete_page) &&
		visit_while_it_helps(run, delete_singly);
}

static bool
visit_while_it_helps(OpsCleaning *run, bool (*visit) (OpsCleaning *run, BlockNumber block))
{
	int64		before;

	do
	{
		int			nleft = run->nleft;
		BlockNumber *left = run->left;

		before = run->outcome->deleted;
		run->outcome->skipped = 0;
		run->nleft = 0;
		run->left = NULL;
		while (nleft > 0)
		{
			if (!ops_may_go_on(run) || !visit(run, left[--nleft]))
				return false;
		}
		if (left)
			pfree(left);
	} while (run->nleft > 0 && run->outcome->deleted > before);
	return true;
}

/*
 * Row by row, where others keep something locked that goes with a row or a
 * constraint keeps one, and count those that stay.  Whoever waits for what is gone already is let go
 * after each vain attempt, and there are not many of these.
 */
static bool
delete_singly(OpsCleaning *run, BlockNumber block)
{
	OpsBatch	batch = one_page(block);
	OpsLeft		left;
	ErrorData  *error;
	int			vain = 0;
	int			kept = 0;

	if (!ops_begin_batch(run, &batch))
		return false;
	error = ops_list_left(run->deleter, block, &left);
	for (int i = left.nrows - 1; i >= 0 && error == NULL; i--)
	{
		int64		deleted = 0;

		if (batch.max_rows >= 0 && batch.deleted >= batch.max_rows)
			break;
		if (vain < VAIN_ATTEMPTS)
			error = ops_delete_row(run->deleter, &left.rows[i], &deleted);
		batch.deleted += deleted;
		if (deleted > 0)
			continue;
		kept++;
		if (error && ops_is_lock_error(error))
		{
			vain++;
			error = NULL;
			if (!ops_finish_batch(run, &batch) || !ops_begin_batch(run, &batch))
				return false;
			batch.deleted = 0;
		}
		else if (error && ops_is_of_rows(error))
		{
			note_error(run, error);
			error = NULL;
		}
	}
	if (error)
	{
		ops_fail_run(run, error);
		return false;
	}
	if (!ops_finish_batch(run, &batch))
		return false;
	if (kept > 0)
		ops_set_aside(run, block);
	run->outcome->skipped += kept;
	return true;
}

/*
 * The error that kept the first row of the last pass.
 */
static void
note_error(OpsCleaning *run, const ErrorData *error)
{
	if (run->outcome->skipped == 0)
		run->outcome->error = MemoryContextStrdup(run->job->context,
												  error->message);
}

void
ops_set_aside(OpsCleaning *run, BlockNumber block)
{
	if (run->left == NULL)
	{
		run->space = 64;
		run->left = MemoryContextAlloc(run->own,
									   run->space * sizeof(BlockNumber));
	}
	if (run->nleft == run->space)
	{
		run->space *= 2;
		run->left = repalloc(run->left, run->space * sizeof(BlockNumber));
	}
	run->left[run->nleft++] = block;
}

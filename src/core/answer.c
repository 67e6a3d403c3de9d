/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  A statement whose result is one text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/answer.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

typedef struct AnswerReceiver
{
	DestReceiver pub;
	char	   *place;
	int			size;
	int			encoding;
	bool	   *answered;
	bool		first;			/* no row has come yet */
} AnswerReceiver;

static bool receive(TupleTableSlot *slot, DestReceiver *self);
static void startup(DestReceiver *self, int operation, TupleDesc desc);
static void shutdown_or_destroy(DestReceiver *self);

/*
 * A receiver that keeps the first column of the first row as a text, in an
 * encoding, at a place of so many bytes.  Answered stays as it is if that
 * column is null, or there is no row.
 */
DestReceiver *
ops_answer_receiver(char *place, int size, int encoding, bool *answered)
{
	AnswerReceiver *receiver = palloc0(sizeof(AnswerReceiver));

	receiver->pub.receiveSlot = receive;
	receiver->pub.rStartup = startup;
	receiver->pub.rShutdown = shutdown_or_destroy;
	receiver->pub.rDestroy = shutdown_or_destroy;
	receiver->pub.mydest = DestNone;
	receiver->place = place;
	receiver->size = size;
	receiver->encoding = encoding;
	receiver->answered = answered;
	receiver->first = true;
	return &receiver->pub;
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	AnswerReceiver *receiver = (AnswerReceiver *) self;
	bool		first = receiver->first;
	bool		isnull;
	Datum		value;
	Oid			output;
	bool		is_varlena;
	char	   *string;

	receiver->first = false;
	value = slot_getattr(slot, 1, &isnull);
	if (!first || isnull)
		return true;
	getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, 0)->atttypid,
					  &output, &is_varlena);
	string = OidOutputFunctionCall(output, value);
	string = pg_server_to_any(string, strlen(string), receiver->encoding);
	if (strlen(string) >= receiver->size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the answer is longer than %d bytes",
						receiver->size - 1)));
	strcpy(receiver->place, string);
	*receiver->answered = true;
	return true;
}

static void
startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
shutdown_or_destroy(DestReceiver *self)
{
}

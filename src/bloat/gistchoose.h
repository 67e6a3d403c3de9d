/*-------------------------------------------------------------------------
 *
 * gistchoose.h
 *	  Where in a GiST index that is played a row goes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GISTCHOOSE_H
#define OPS_GISTCHOOSE_H

#include "access/gist_private.h"
#include "access/itup.h"

typedef struct OpsGistChooser OpsGistChooser;
typedef struct OpsGistKeys OpsGistKeys;

/* Both in the current memory context; keys are kept in that of the chooser. */
extern OpsGistChooser *ops_gist_chooser_create(Relation index,
											   GISTSTATE * state, uint64 seed);
extern OpsGistKeys *ops_gist_keys_create(const OpsGistChooser *chooser);

/* The keys of a page's downlinks, in their order. */
extern void ops_gist_keys_add(OpsGistChooser *chooser, OpsGistKeys *keys,
							  IndexTuple downlink);
extern void ops_gist_keys_replace(OpsGistChooser *chooser, OpsGistKeys *keys,
								  OffsetNumber offset, IndexTuple downlink);
extern void ops_gist_keys_delete(OpsGistChooser *chooser, OpsGistKeys *keys,
								 OffsetNumber offset);
extern void ops_gist_keys_free(OpsGistChooser *chooser, OpsGistKeys *keys);

/* Go for this row from now on; what that takes is in the current context. */
extern void ops_gist_chooser_take(OpsGistChooser *chooser, IndexTuple row);

/* The downlink whose key has to be widened least. */
extern OffsetNumber ops_gist_choose(OpsGistChooser *chooser,
									const OpsGistKeys *keys);

#endif							/* OPS_GISTCHOOSE_H */

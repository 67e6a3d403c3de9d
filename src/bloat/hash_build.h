/*-------------------------------------------------------------------------
 *
 * hash_build.h
 *	  Buckets and overflow pages that a build of a hash index makes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_HASH_BUILD_H
#define OPS_HASH_BUILD_H

#include "utils/rel.h"

/* Entries of one hash code on a page that others hardly share a page with. */
#define HASH_MANY_EQUAL 204

typedef struct OpsHashBuild
{
	int			per_bucket;		/* entries per bucket that it aims for */
	uint32		buckets;		/* made before the first entry comes */

	/* entries seen, by how many have the same code */
	double		entries[HASH_MANY_EQUAL + 1];
	double		crowded;		/* more than that many */
	double		crowds;			/* buckets of such, in the whole index */
} OpsHashBuild;

/* Entries that a page has room for. */
extern int	ops_hash_page_entries(void);

/* Buckets that a build for so many rows of the table begins with. */
extern void ops_hash_build_init(OpsHashBuild *build, Relation rel,
								double rows);

/* The same, with what was seen of the entries as it is. */
extern void ops_hash_build_resize(OpsHashBuild *build, double rows);

/* Overflow pages of a bucket of which a share of the entries goes. */
extern double ops_hash_bucket_overflow(double entries, double dead);

/* Buckets that are in use at its end. */
extern double ops_hash_build_buckets(const OpsHashBuild *build,
									 double entries);

/* Pages of the file, once that many entries are in it. */
extern double ops_hash_build_pages(const OpsHashBuild *build,
								   double entries);

/* The same for a number of overflow pages that is known. */
extern double ops_hash_build_file(double buckets, double overflow);

#endif							/* OPS_HASH_BUILD_H */

/*-------------------------------------------------------------------------
 *
 * words.h
 *	  Quantities as people say them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_WORDS_H
#define OPS_WORDS_H

extern const char *ops_duration(double seconds);
extern const char *ops_bytes(double bytes);

#endif							/* OPS_WORDS_H */

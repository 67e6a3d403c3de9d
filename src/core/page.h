/*-------------------------------------------------------------------------
 *
 * page.h
 *	  Runbook pages, built into the library from src/<room>/pages/<name>.md
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PAGE_H
#define OPS_PAGE_H

typedef struct OpsPage
{
	const char *name;			/* of the check it explains */
	const char *markdown;
} OpsPage;

/* Ends with a row whose name is NULL. */
extern const OpsPage ops_page_table[];

#endif							/* OPS_PAGE_H */

/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  Settings of the extension; each is documented where it is defined.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GUC_H
#define OPS_GUC_H

extern char *ops_guc_release;
extern char *ops_guc_environment;
extern char *ops_guc_superusers;
extern char *ops_guc_expected_migration;
extern bool ops_guc_maintenance_unavailable;
extern int	ops_guc_bloat_seed;
extern int	ops_guc_fast_budget;
extern int	ops_guc_deep_budget;
extern int	ops_guc_lock_timeout;
extern int	ops_guc_sample_interval;
extern int	ops_guc_expected_standbys;
extern int	ops_guc_statistics_min_age;

extern void ops_guc_init(void);

#endif							/* OPS_GUC_H */

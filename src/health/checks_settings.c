#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_settings_checks[] = {{NULL}};
const int	ops_settings_count = 0;

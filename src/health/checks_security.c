#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_security_checks[] = {{NULL}};
const int	ops_security_count = 0;

/*-------------------------------------------------------------------------
 *
 * no_nls.c
 *	  Takes message catalogs away from a server that runs under ASan.
 *
 * With libasan preloaded, the first bindtextdomain() of a program hangs on
 * glibc 2.36; the server does without translations here.
 *
 *-------------------------------------------------------------------------
 */
char	   *bindtextdomain(const char *domain, const char *directory);
char	   *textdomain(const char *domain);
char	   *bind_textdomain_codeset(const char *domain, const char *codeset);

char *
bindtextdomain(const char *domain, const char *directory)
{
	return (char *) directory;
}

char *
textdomain(const char *domain)
{
	return (char *) domain;
}

char *
bind_textdomain_codeset(const char *domain, const char *codeset)
{
	return (char *) codeset;
}

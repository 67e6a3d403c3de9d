# Turns markdown files into C: one table row for each page, named after its
# file.  A row is { name, text }; the table ends with an empty row.
BEGIN {
	print "/* Generated from the pages' markdown; edit those. */"
	print "#include \"postgres.h\"\n\n#include \"core/page.h\"\n"
	print "const OpsPage ops_page_table[] = {"
}

FNR == 1 {
	if (NR > 1)
		print "\t},"
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.md$/, "", name)
	printf "\t{\"%s\",\n", name
}

{
	gsub(/\\/, "\\\\&")
	gsub(/"/, "\\\\&")
	printf "\t\t\"%s\\n\"\n", $0
}

END {
	if (NR > 0)
		print "\t},"
	print "\t{NULL, NULL}\n};"
}

/* csv.h: tables in text files, as spreadsheets write them (RFC 4180): cells between separators,
 * lines that end with LF, CRLF or CR, cells in double quotes that may hold anything (a quote
 * twice). Reading treats the file as hostile. */
#ifndef DEER_CSV_H
#define DEER_CSV_H

#include "base/base.h"

typedef enum deer_csv_header { DEER_CSV_GUESS, DEER_CSV_WITHOUT, DEER_CSV_WITH } deer_csv_header;

typedef struct deer_csv_options {
  char separator;         /* 0 is ',' */
  deer_csv_header header; /* guess: the first line has names when none of its cells is a number */
} deer_csv_options;

/* Either numbers or texts, one per row. */
typedef struct deer_csv_column {
  const char *name; /* NULL without a header */
  double *numbers;  /* NaN for an empty cell; NULL for texts */
  char **texts;
} deer_csv_column;

typedef struct deer_csv {
  int64_t n_rows;
  int n_columns;
  deer_csv_column *columns;
  char *file; /* names and texts lie in it */
} deer_csv;

/* Reads a whole file. A column is one of numbers when the first of its cells that is not empty is a
 * number, written as in C but not in hexadecimal, or "nan" or "inf"; blanks around it do not count.
 * Each of its other cells then must be one or empty. Empty lines and a byte order mark are passed
 * over. DEER_EIO when the file cannot be read, DEER_EDATA with "line 7, column 2 (close): ..." when
 * it is malformed or empty. To be freed with deer_csv_finish. */
deer_status deer_csv_load(const char *path, const deer_csv_options *options, deer_csv *csv);
void deer_csv_finish(deer_csv *csv);

#endif

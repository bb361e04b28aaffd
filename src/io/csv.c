/* csv.c: tables in text files. The cells are cut out in place, in one walk over the text; then each
 * column finds out whether it is one of numbers. */
#include "io/csv.h"
#include "base/file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MOST ((size_t)1 << 34) /* no larger file is read */
#define SHOWN     32                /* bytes of a cell in messages */

/* A file being read. The cells of a row lie side by side. */
typedef struct reader {
  char *at, *end;
  char separator;
  char **cells;
  int64_t n_cells, cell_room;
  int64_t *lines; // where each row begins
  int64_t n_rows, row_room;
  int64_t line; // from 1
  int n_columns;
  const char *const *names; // for messages; NULL before they are known
} reader;

/* Fails about a cell; columns count from 1. `found` is a cell of others, cut for the message. */
static deer_status wrong(const reader *r, int64_t line, int column, const char *expected,
                         const char *found) {
  char shown[SHOWN + 4];
  size_t n = strnlen(found, SHOWN);
  memcpy(shown, found, n);
  memcpy(shown + n, found[n] ? "..." : "", found[n] ? 4 : 1);
  for (char *c = shown; *c; c++)
    if ((unsigned char)*c < ' ' || *c == '\x7f') *c = '?';
  const char *name = r->names ? r->names[column - 1] : "";
  return deer_fail(DEER_EDATA, "line %jd, column %d%s%.*s%s: %s, got '%s'", (intmax_t)line, column,
                   *name ? " (" : "", SHOWN, name, *name ? ")" : "", expected, shown);
}

/* Makes room for one more element in an array of *room. */
static deer_status reserve(void **array, int64_t n, int64_t *room, size_t size) {
  if (n < *room) return DEER_OK;
  int64_t larger = *room > 0 ? 2 * *room : 256;
  void *grown = deer_realloc(*array, (size_t)larger * size);
  if (!grown) return DEER_ENOMEM;
  *array = grown;
  *room = larger;
  return DEER_OK;
}

/* ---- cells ---- */

/* The line ends here: with LF, CRLF or CR, or with the file. */
static bool at_end_of_line(const reader *r) {
  return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

/* Cuts out what is between quotes, in place; the first is taken already. */
static deer_status take_quoted(reader *r, int column, char **past) {
  char *to = r->at;
  int64_t line = r->line;
  for (; r->at < r->end; *to++ = *r->at++) {
    if (*r->at == '\n') r->line++;
    if (*r->at != '"') continue;
    // a quote twice stands for one
    if (++r->at == r->end || *r->at != '"') {
      *past = to;
      return DEER_OK;
    }
  }
  return deer_fail(DEER_EDATA, "line %jd, column %d: the quote that begins there has no end",
                   (intmax_t)line, column);
}

/* One cell; `past` is where the byte is that will end it. */
static deer_status take_cell(reader *r, int column, char **cell, char **past) {
  if (r->at < r->end && *r->at == '"') {
    *cell = ++r->at;
    DEER_TRY(take_quoted(r, column, past));
    if (r->at == r->end || *r->at == r->separator || at_end_of_line(r)) return DEER_OK;
    return wrong(r, r->line, column, "expected the end of the cell behind its quote",
                 (char[]){*r->at, '\0'});
  }
  *cell = r->at;
  while (!at_end_of_line(r) && *r->at != r->separator) r->at++;
  *past = r->at;
  return DEER_OK;
}

/* Skips the end of the line. */
static void next_line(reader *r) {
  if (r->at < r->end && *r->at == '\r') r->at++;
  if (r->at < r->end && *r->at == '\n') r->at++;
  r->line++;
}

/* The cells of one line that is not empty; all lines have as many. */
static deer_status take_row(reader *r) {
  int64_t line = r->line;
  int column = 0;
  DEER_TRY(reserve((void **)&r->lines, r->n_rows, &r->row_room, sizeof *r->lines));
  r->lines[r->n_rows++] = line;
  for (bool more = true; more;) {
    char *past = NULL;
    if (column == INT_MAX) return deer_fail(DEER_EDATA, "line 1: too many columns");
    DEER_TRY(reserve((void **)&r->cells, r->n_cells, &r->cell_room, sizeof *r->cells));
    DEER_TRY(take_cell(r, ++column, &r->cells[r->n_cells++], &past));
    more = r->at < r->end && *r->at == r->separator;
    if (more)
      r->at++;
    else
      next_line(r);
    // now that the byte is read it may go
    *past = '\0';
  }
  if (r->n_rows == 1) r->n_columns = column;
  if (column == r->n_columns) return DEER_OK;
  return deer_fail(DEER_EDATA, "line %jd: expected %d cells as in the first, got %d",
                   (intmax_t)line, r->n_columns, column);
}

static deer_status take_rows(reader *r) {
  // a byte order mark says nothing in UTF-8
  if (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0) r->at += 3;
  const char *zero = memchr(r->at, '\0', (size_t)(r->end - r->at));
  if (zero) return deer_fail(DEER_EDATA, "a zero byte at %td: it is no text", zero - r->at);
  while (r->at < r->end) {
    if (at_end_of_line(r))
      next_line(r);
    else
      DEER_TRY(take_row(r));
  }
  return r->n_rows > 0 ? DEER_OK : deer_fail(DEER_EDATA, "there is nothing in it");
}

/* ---- columns ---- */

static const char *skip_blanks(const char *text) { return text + strspn(text, " \t"); }
static const char *skip_digits(const char *text) { return text + strspn(text, "0123456789"); }

/* Behind the number at `text`, which is `text` itself when there is none. */
static const char *skip_number(const char *text) {
  const char *at = text + (*text == '-' || *text == '+');
  if (strncasecmp(at, "nan", 3) == 0 || strncasecmp(at, "inf", 3) == 0) return at + 3;
  const char *whole = skip_digits(at), *part = *whole == '.' ? skip_digits(whole + 1) : whole;
  if (part - at <= (*whole == '.')) return text; // not a digit
  if (*part != 'e' && *part != 'E') return part;
  const char *digits = part + 1 + (part[1] == '-' || part[1] == '+');
  const char *end = skip_digits(digits);
  return end > digits ? end : part;
}

static bool is_empty(const char *cell) { return *skip_blanks(cell) == '\0'; }

/* The whole cell is a number. */
static bool read_number(const char *cell, double *number) {
  const char *text = skip_blanks(cell), *end = skip_number(text);
  char *read;
  if (end == text || !is_empty(end)) return false;
  *number = strtod(text, &read);
  // a locale with another decimal point reads less
  return read == end;
}

/* A cell of row i, counted from the first line. */
static char *cell_at(const reader *r, int64_t i, int column) {
  return r->cells[i * r->n_columns + column];
}

/* The first line holds names. */
static bool has_names(const reader *r, deer_csv_header header) {
  double number;
  if (header != DEER_CSV_GUESS) return header == DEER_CSV_WITH;
  for (int c = 0; c < r->n_columns; c++)
    if (read_number(cell_at(r, 0, c), &number)) return false;
  return true;
}

/* What the first cell of the column with something in it is. */
static bool holds_numbers(const reader *r, int64_t first, int column) {
  double number;
  for (int64_t i = first; i < r->n_rows; i++)
    if (!is_empty(cell_at(r, i, column))) return read_number(cell_at(r, i, column), &number);
  return true;
}

static deer_status fill_column(const reader *r, int64_t first, int c, deer_csv_column *column) {
  size_t n = (size_t)(r->n_rows - first);
  bool numbers = holds_numbers(r, first, c);
  if (numbers) column->numbers = deer_alloc_array(n, sizeof *column->numbers);
  if (!numbers) column->texts = deer_alloc_array(n, sizeof *column->texts);
  if (!column->numbers && !column->texts) return DEER_ENOMEM;
  for (size_t i = 0; i < n; i++) {
    char *cell = cell_at(r, first + (int64_t)i, c);
    if (!numbers)
      column->texts[i] = cell;
    else if (is_empty(cell))
      column->numbers[i] = NAN;
    else if (!read_number(cell, &column->numbers[i]))
      return wrong(r, r->lines[first + (int64_t)i], c + 1, "expected a number", cell);
  }
  return DEER_OK;
}

static deer_status fill_columns(reader *r, deer_csv_header header, deer_csv *csv) {
  int64_t first = has_names(r, header);
  if (first) r->names = (const char *const *)r->cells;
  csv->n_rows = r->n_rows - first;
  csv->columns = deer_alloc_array((size_t)r->n_columns, sizeof *csv->columns);
  if (!csv->columns) return DEER_ENOMEM;
  csv->n_columns = r->n_columns;
  for (int c = 0; c < r->n_columns; c++) {
    if (first) csv->columns[c].name = cell_at(r, 0, c);
    DEER_TRY(fill_column(r, first, c, &csv->columns[c]));
  }
  return DEER_OK;
}

deer_status deer_csv_load(const char *path, const deer_csv_options *options, deer_csv *csv) {
  size_t size;
  *csv = (deer_csv){0};
  DEER_TRY(deer_file_read(path, FILE_MOST, &csv->file, &size));
  reader r = {.at = csv->file, .end = csv->file + size, .line = 1};
  r.separator = options->separator ? options->separator : ',';
  deer_status status = take_rows(&r);
  if (status == DEER_OK) status = fill_columns(&r, options->header, csv);
  deer_free(r.cells);
  deer_free(r.lines);
  if (status == DEER_OK) return DEER_OK;
  deer_csv_finish(csv);
  return deer_fail(status, "cannot read %s: %s", path, deer_error());
}

void deer_csv_finish(deer_csv *csv) {
  for (int c = 0; c < csv->n_columns; c++) {
    deer_free(csv->columns[c].numbers);
    deer_free(csv->columns[c].texts);
  }
  deer_free(csv->columns);
  deer_free(csv->file);
  *csv = (deer_csv){0};
}

/* schedule.c: numbers that change with time. */
#include "base/schedule.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONSTANT, LINEAR, POLYNOMIAL, EXPONENTIAL, COSINE, PIECEWISE, KINDS };

static const struct {
  const char *name, *parameters;
  int n; /* of numbers; 0: pairs, at least one */
} kinds[KINDS] = {
    [CONSTANT] = {"constant", "value", 1},
    [LINEAR] = {"linear", "from, to, steps", 3},
    [POLYNOMIAL] = {"polynomial", "from, to, steps, power", 4},
    [EXPONENTIAL] = {"exponential", "from, to, steps", 3},
    [COSINE] = {"cosine", "from, to, steps", 3},
    [PIECEWISE] = {"piecewise", "t1, value1, t2, value2, ...", 0},
};

const char *deer_schedule_kind(int i, const char **parameters) {
  if (i < 0 || i >= KINDS) return NULL;
  *parameters = kinds[i].parameters;
  return kinds[i].name;
}

/* ---- making one ---- */

static deer_status unknown(const char *name) {
  const char *names[KINDS];
  for (int i = 0; i < KINDS; i++) names[i] = kinds[i].name;
  const char *nearest = deer_nearest(name, names, KINDS);
  if (nearest)
    return deer_fail(DEER_EINVAL, "unknown schedule '%s'; did you mean '%s'?", name, nearest);
  return deer_fail(DEER_EINVAL,
                   "unknown schedule '%s'; there are constant, linear, polynomial, exponential, "
                   "cosine and piecewise",
                   name);
}

/* what is wrong with a schedule of the right number of numbers; NULL: nothing */
static const char *wrong_numbers(const deer_schedule *s) {
  const double *x = s->number;
  for (int i = 0; i < s->n; i++)
    if (!isfinite(x[i])) return "a number is not finite";
  if (s->kind == PIECEWISE) {
    for (int i = 2; i < s->n; i += 2)
      if (x[i] < x[i - 2]) return "its times must not go back";
    return NULL;
  }
  if (s->kind == CONSTANT) return NULL;
  if (x[2] <= 0) return "steps must be above 0";
  if (s->kind == POLYNOMIAL && x[3] <= 0) return "power must be above 0";
  if (s->kind == EXPONENTIAL && !(x[0] > 0 && x[1] > 0) && !(x[0] < 0 && x[1] < 0))
    return "from and to must have the same sign and not be 0";
  return NULL;
}

deer_status deer_schedule_make(const char *name, const double *numbers, int n,
                               deer_schedule *schedule) {
  int kind = 0;
  while (kind < KINDS && strcmp(kinds[kind].name, name) != 0) kind++;
  if (kind == KINDS) return unknown(name);
  bool fits = kinds[kind].n ? n == kinds[kind].n : n >= 2 && n % 2 == 0;
  if (!fits || n > DEER_SCHEDULE_NUMBERS)
    return deer_fail(DEER_EINVAL, "schedule: expected %s(%s)%s, got %d number%s", name,
                     kinds[kind].parameters, fits ? " of at most 32 points" : "", n,
                     n == 1 ? "" : "s");
  deer_schedule made = {.kind = kind, .n = n};
  memcpy(made.number, numbers, (size_t)n * sizeof *numbers);
  const char *wrong = wrong_numbers(&made);
  if (wrong) {
    char text[DEER_SCHEDULE_TEXT];
    return deer_fail(DEER_EINVAL, "schedule %s: %s", deer_schedule_text(&made, text), wrong);
  }
  *schedule = made;
  return DEER_OK;
}

/* ---- text ---- */

static const char *skip_space(const char *at) {
  while (isspace((unsigned char)*at)) at++;
  return at;
}

/* the numbers between parentheses, up to the end of the text; -1 when they are none */
static int read_numbers(const char *at, double numbers[DEER_SCHEDULE_NUMBERS]) {
  int n = 0;
  for (char *end;; at = skip_space(end) + 1) {
    if (n == DEER_SCHEDULE_NUMBERS) return -1;
    numbers[n++] = strtod(at, &end);
    if (end == at) return -1;
    end = (char *)skip_space(end);
    if (*end == ')') return *skip_space(end + 1) ? -1 : n;
    if (*end != ',') return -1;
  }
}

deer_status deer_schedule_parse(const char *text, deer_schedule *schedule) {
  char *end, name[32];
  const char *start = skip_space(text);
  double numbers[DEER_SCHEDULE_NUMBERS] = {strtod(start, &end)};
  if (end != start && !*skip_space(end))
    return deer_schedule_make("constant", numbers, 1, schedule);
  size_t length = strspn(start, "abcdefghijklmnopqrstuvwxyz");
  const char *open = skip_space(start + length);
  int n = length && length < sizeof name && *open == '(' ? read_numbers(open + 1, numbers) : -1;
  if (n < 0)
    return deer_fail(DEER_EINVAL,
                     "schedule: expected a number or text like linear(1, 0.1, 10000), got '%s'",
                     text);
  memcpy(name, start, length);
  name[length] = '\0';
  return deer_schedule_make(name, numbers, n, schedule);
}

/* the shortest of three forms that reads back as the same number */
static void number_text(double x, char text[32]) {
  for (int digits = 6; digits <= 17; digits += digits < 15 ? 9 : 2) {
    snprintf(text, 32, "%.*g", digits, x);
    if (strtod(text, NULL) == x) return;
  }
}

const char *deer_schedule_text(const deer_schedule *s, char text[DEER_SCHEDULE_TEXT]) {
  size_t used = (size_t)snprintf(text, DEER_SCHEDULE_TEXT, "%s(", kinds[s->kind].name);
  for (int i = 0; i < s->n; i++) {
    char number[32];
    number_text(s->number[i], number);
    used += (size_t)snprintf(text + used, DEER_SCHEDULE_TEXT - used, "%s%s", i ? ", " : "", number);
  }
  snprintf(text + used, DEER_SCHEDULE_TEXT - used, ")");
  return text;
}

/* ---- values ---- */

/* from the first point on and before the last */
static double between_points(const double *x, int n, double t) {
  int i = 2;
  while (i < n - 2 && x[i] <= t) i += 2;
  double from = x[i - 2], to = x[i];
  return x[i - 1] + (x[i + 1] - x[i - 1]) * ((t - from) / (to - from));
}

double deer_schedule_at(const deer_schedule *s, double t) {
  const double *x = s->number;
  if (s->kind == PIECEWISE) {
    if (!(t >= x[0])) return x[1];
    return t >= x[s->n - 2] ? x[s->n - 1] : between_points(x, s->n, t);
  }
  if (s->kind == CONSTANT || !(t > 0)) return x[0];
  if (t >= x[2]) return x[1];
  const double from = x[0], to = x[1], part = t / x[2];
  switch (s->kind) {
  case LINEAR:
    return from + (to - from) * part;
  case POLYNOMIAL:
    return to + (from - to) * pow(1 - part, x[3]);
  case EXPONENTIAL:
    return from * pow(to / from, part);
  default:
    return to + (from - to) * (1 + cos(acos(-1.0) * part)) / 2;
  }
}

/* schedule.h: numbers that change with time: learning rates, epsilons, discounts. A schedule is a
 * plain value. */
#ifndef DEER_SCHEDULE_H
#define DEER_SCHEDULE_H

#include "base/base.h"

#define DEER_SCHEDULE_NUMBERS 64 /* parameters of one schedule at most */
#define DEER_SCHEDULE_TEXT    2048

typedef struct deer_schedule {
  int kind; /* see deer_schedule_kind */
  int n;    /* how many of the numbers are used */
  double number[DEER_SCHEDULE_NUMBERS];
} deer_schedule;

/* With x = t / steps, from 0 to 1:
 *   constant(value)
 *   linear(from, to, steps)             from + (to - from) x
 *   polynomial(from, to, steps, power)  to + (from - to) (1 - x)^power
 *   exponential(from, to, steps)        from (to / from)^x
 *   cosine(from, to, steps)             to + (from - to) (1 + cos(pi x)) / 2
 *   piecewise(t1, value1, t2, value2, ...)  straight lines from point to point; of two points at
 *                                           the same time the later one holds from there on
 * Before its start a schedule has its first value, after its end its last, exactly. */

/* The name of kind i and the names of its parameters, "from, to, steps"; NULL past the end. */
const char *deer_schedule_kind(int i, const char **parameters);

/* A schedule of the kind called `name`. DEER_EINVAL with a message that says what the kind takes: a
 * wrong number of parameters, one that is not finite, steps or power not above 0, times that go
 * back, an exponential that would have to cross 0. */
deer_status deer_schedule_make(const char *name, const double *numbers, int n,
                               deer_schedule *schedule);

/* The same from text, "linear(1, 0.1, 10000)"; a number alone is constant. */
deer_status deer_schedule_parse(const char *text, deer_schedule *schedule);

/* The value at time t; the first value when t is not a number. */
double deer_schedule_at(const deer_schedule *schedule, double t);

/* The schedule as text that deer_schedule_parse reads back without loss; returns `text`. */
const char *deer_schedule_text(const deer_schedule *schedule, char text[DEER_SCHEDULE_TEXT]);

#endif

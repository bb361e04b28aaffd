/* explain.c: where the time of a program goes. */
#include "graph/program.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

deer_status deer_program_profile(deer_program *p, bool on) {
  if (on && !p->spent) {
    p->spent = deer_alloc_array((size_t)p->n_steps + 1, sizeof *p->spent);
    if (!p->spent) return DEER_ENOMEM;
  }
  p->profiled = on;
  return DEER_OK;
}

void deer_program_run_timed(deer_program *p) {
  uint64_t before = deer_nanoseconds();
  for (int i = 0; i < p->n_steps; i++) {
    p->steps[i].op->run(&p->steps[i]);
    const uint64_t after = deer_nanoseconds();
    p->spent[i] += after - before;
    before = after;
  }
  p->timed_runs++;
}

/* ---- what a step does ---- */

static double elements(const deer_operand *x) { return (double)deer_shape_count(&x->shape); }

/* of all parts of a divided step together */
static double whole_flops(const deer_step *step) {
  if (step->chain) return (double)step->chain->n * step->chain->n_links;
  if (step->op->flops) return step->op->flops(step);
  double most = elements(&step->out);
  for (int i = 0; i < step->n_in; i++)
    if (elements(&step->in[i]) > most) most = elements(&step->in[i]);
  return step->op->alias ? 0 : most;
}

double deer_step_flops(const deer_step *step) { return whole_flops(step) / step->parts; }

static double operand_bytes(const deer_operand *x) {
  return elements(x) * (double)deer_dtype_size(x->dtype);
}

static double whole_bytes(const deer_step *step) {
  double bytes = 0;
  if (step->chain) {
    for (int s = 0; s < step->chain->n_slots; s++)
      if (step->chain->slots[s].kind == DEER_SLOT_STREAM)
        bytes += (double)step->chain->n * (double)sizeof(deer_real);
    return bytes;
  }
  for (int i = 0; i < step->n_in; i++) bytes += operand_bytes(&step->in[i]);
  return bytes + operand_bytes(&step->out);
}

double deer_step_bytes(const deer_step *step) { return whole_bytes(step) / step->parts; }

/* ---- text ---- */

typedef struct text {
  char *at; /* NULL while measuring */
  size_t used, size;
} text;

static void put(text *t, const char *format, ...) DEER_PRINTF(2, 3);
static void put(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n =
      vsnprintf(t->at ? t->at + t->used : NULL, t->at ? t->size - t->used : 0, format, arguments);
  va_end(arguments);
  if (n > 0) t->used += (size_t)n;
}

/* "add relu scale" for a chain, "product+bias+relu trunk.dense1" for an op */
static void put_name(text *t, const deer_program *p, int i) {
  const deer_unit *unit = &p->plan->units[p->unit_of_step[i]];
  const deer_record *last = &p->g->records[unit->nodes[unit->n - 1]];
  for (int k = 0; k < unit->n; k++)
    put(t, "%s%s", k ? " " : "", p->g->records[unit->nodes[k]].op->name);
  if (last->op == &deer_product_op || last->op == &deer_op_conv2d ||
      last->op == &deer_op_conv2d_input)
    put(t, "%s%s%s", last->attr.mask & DEER_FINISH_BIAS ? "+bias" : "",
        last->attr.mask & DEER_FINISH_RELU ? "+relu" : "",
        last->attr.mask & DEER_FINISH_GATE    ? "+gate"
        : last->attr.mask & DEER_FINISH_SLOPE ? "+slope"
                                              : "");
  if (last->name) put(t, " = %s", last->name);
}

static void put_shapes(text *t, const deer_step *step) {
  char shape[DEER_SHAPE_TEXT];
  for (int i = 0; i < step->n_in && i < 2; i++)
    put(t, "%s ", deer_shape_text(&step->in[i].shape, shape));
  put(t, "-> %s", deer_shape_text(&step->out.shape, shape));
}

static void put_all(text *t, const deer_program *p) {
  double total = 0, flops = 0, bytes = 0;
  const double runs = p->timed_runs ? (double)p->timed_runs : 1;
  for (int i = 0; p->spent && i < p->n_steps; i++) total += (double)p->spent[i] / runs / 1000;
  put(t, "%4s %9s %7s %12s %12s %9s  %s\n", "step", "us", "share", "flops", "bytes", "GFLOP/s",
      "what");
  for (int i = 0; i < p->n_steps; i++) {
    const deer_step *step = &p->steps[i];
    const double us = p->spent ? (double)p->spent[i] / runs / 1000 : 0;
    flops += deer_step_flops(step);
    bytes += deer_step_bytes(step);
    put(t, "%4d %9.3f %6.1f%% %12.0f %12.0f %9.1f  ", i, us, total > 0 ? 100 * us / total : 0,
        deer_step_flops(step), deer_step_bytes(step),
        us > 0 ? deer_step_flops(step) / us / 1000 : 0);
    put_name(t, p, i);
    put(t, "  ");
    put_shapes(t, step);
    put(t, "\n");
  }
  put(t, "%4s %9.3f %6.1f%% %12.0f %12.0f %9.1f  %zu bytes of memory, %llu runs timed\n", "all",
      total, total > 0 ? 100.0 : 0.0, flops, bytes, total > 0 ? flops / total / 1000 : 0,
      p->arena_bytes, (unsigned long long)p->timed_runs);
}

char *deer_program_explain(const deer_program *p) {
  text t = {0};
  put_all(&t, p);
  t.size = t.used + 1;
  t.at = deer_alloc(t.size);
  t.used = 0;
  if (t.at) put_all(&t, p);
  return t.at;
}

/* ---- listening ---- */

static deer_explain_listener *listening;
static void *listening_context;

void deer_explain_set(deer_explain_listener *listener, void *context) {
  listening = listener;
  listening_context = context;
}

deer_status deer_explain_begin(deer_program *p) {
  return listening ? deer_program_profile(p, true) : DEER_OK;
}

void deer_explain_end(const deer_program *p) {
  if (!listening || p->timed_runs == 0) return;
  char *said = deer_program_explain(p);
  if (said) listening(listening_context, said);
  deer_free(said);
}

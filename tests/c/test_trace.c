/* test_trace.c: every signal and call of a scripted run in the order in which DeeR makes them. What
 * differs is meant to: test epochs are not runs of their own, the environment stops once, and an
 * epoch that is over is truncated, where DeeR of late has a terminal state and DeeR 0.2 nothing. */
#include "agent_rig.h"

#include <jansson.h>

/* the random numbers of the trace are all 0.5: the step is random while epsilon is above that */
static deer_status trace_choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                                double *value, bool *greedy);
static const deer_policy_class trace_policy_class = {.name = "trace", .choose = trace_choose};
typedef struct trace_policy {
  deer_policy base;
  const rig *rig;
} trace_policy;

static deer_status trace_choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                                double *value, bool *greedy) {
  *greedy = !(((trace_policy *)self)->rig->epsilon > 0.5);
  *value = *action = 0;
  return *greedy ? choice->algo->kind->act(choice->algo, choice->state, action, value) : DEER_OK;
}

enum { EPOCH = 9 }; /* steps of one in training; of tests there are fewer */

/* sample `i` of a list of terminals, but without those that only the end of an epoch made */
static bool truly_terminal(const json_t *terminals, size_t i, int whole) {
  if (!json_boolean_value(json_array_get(terminals, i))) return false;
  int run = 1;
  for (size_t k = i; k % EPOCH > 0 && !json_boolean_value(json_array_get(terminals, k - 1)); k--)
    run++;
  return run == whole;
}

/* the line that an event of the golden trace should leave here; false for one that should not be */
static bool expected_line(const json_t *e, int whole, char line[96]) {
  const char *name = json_string_value(json_array_get(e, 0));
  const json_t *second = json_array_get(e, 1), *args = json_array_get(e, 12);
  if (strcmp(name, "stdout") == 0 || strcmp(name, "env.end") == 0) return false;
  if (strcmp(name, "env.reset") == 0)
    return snprintf(line, 96, "reset %d", (int)json_integer_value(second));
  if (strcmp(name, "env.act") == 0)
    return snprintf(line, 96, "act %d reward %g", (int)json_integer_value(second),
                    json_number_value(json_array_get(e, 3)));
  if (strcmp(name, "learner.train") == 0)
    return snprintf(line, 96, "learn %d", (int)json_integer_value(second));
  if (strcmp(name, "learner.chooseBestAction") == 0) {
    const json_t *state = json_array_get(e, 2), *x = json_array_get(state, 0);
    return snprintf(line, 96, "best %g %g %g | %g", json_number_value(json_array_get(x, 0)),
                    json_number_value(json_array_get(x, 1)),
                    json_number_value(json_array_get(x, 2)),
                    json_number_value(json_array_get(json_array_get(state, 1), 0)));
  }
  if (strcmp(name, "env.summarizePerformance") == 0) {
    const json_t *terminals = json_array_get(e, 4);
    char endings[64] = "";
    for (size_t i = 0; i < json_array_size(terminals); i++)
      endings[i] = truly_terminal(terminals, i, whole) ? 'T' : '-';
    return snprintf(line, 96, "summarize %s", endings);
  }
  /* a signal; test epochs are no runs of their own here */
  int mode = (int)json_integer_value(json_array_get(e, 2));
  if (mode != -1 && (strcmp(name, "OnStart") == 0 || strcmp(name, "OnEnd") == 0)) return false;
  int at =
      snprintf(line, 96, "%s %d n=%d", name, mode, (int)json_integer_value(json_array_get(e, 10)));
  if (strcmp(name, "OnActionChosen") == 0)
    snprintf(line + at, 96 - (size_t)at, " %d", (int)json_integer_value(json_array_get(args, 0)));
  if (strcmp(name, "OnEpisodeEnd") == 0)
    snprintf(line + at, 96 - (size_t)at, " %s %g",
             json_is_true(json_array_get(args, 0)) ? "true" : "false",
             json_number_value(json_array_get(args, 1)));
  return true;
}

static void compare_memory(const rig *r, const json_t *expected, int whole) {
  const deer_replay *replay = deer_agent_replay(r->agent);
  const json_t *terminals = json_object_get(expected, "terminals");
  int64_t slot = -1;
  size_t n = json_array_size(terminals);
  for (size_t i = 0; i < n; i++) {
    assert_true(deer_replay_next(replay, &slot));
    assert_float_equal(deer_replay_reward(replay, slot),
                       json_number_value(json_array_get(json_object_get(expected, "rewards"), i)),
                       0);
    assert_float_equal(*(const deer_real *)deer_replay_observation(replay, slot, 0),
                       json_number_value(json_array_get(json_object_get(expected, "obs0"), i)), 0);
    deer_ending ending = truly_terminal(terminals, i, whole) ? DEER_TERMINATED
                         : (i + 1) % EPOCH == 0              ? DEER_TRUNCATED
                                                             : DEER_RUNNING;
    assert_int_equal(deer_replay_ending(replay, slot), ending);
  }
  assert_false(deer_replay_next(replay, &slot));
}

/* DeeR 0.2: the end of an epoch asks for the test epoch that comes next, the other test follows the
 * first, and training that */
static deer_status next_epoch(rig *r) {
  bool ends = ((task *)r->env)->terminal_at == 4;
  int mode = deer_agent_mode(r->agent);
  int64_t n;
  if (mode == -1) return deer_agent_start_mode(r->agent, 0, 7);
  const double scores[2][2] = {{28, 15}, {6.5, 10}}, score = scores[ends][mode];
  assert_float_equal(deer_agent_test_score(r->agent, &n), score, 1e-12);
  if (mode == 0) DEER_TRY(deer_agent_summarize(r->agent));
  DEER_TRY(deer_agent_resume_training(r->agent));
  return mode == 0 ? deer_agent_start_mode(r->agent, 1, 5) : DEER_OK;
}

static deer_status traced_in_turn(void *context, const deer_event *event) {
  if (event->signal != DEER_ON_EPOCH_END) return traced(context, event);
  DEER_TRY(next_epoch(context));
  note_signal(context, event);
  return DEER_OK;
}

static void compare_statistics(const rig *r, const json_t *golden) {
  int64_t n;
  assert_float_equal(deer_agent_mean_loss(r->agent, &n),
                     json_number_value(json_object_get(golden, "avgBellmanResidual")), 1e-12);
  assert_float_equal(deer_agent_mean_value(r->agent, &n),
                     json_number_value(json_object_get(golden, "avgEpisodeVValue")), 1e-12);
}

/* `name` of the golden traces, made by an environment that is over after so many acts; with
 * in_turn, DeeR 0.2's epochs, where arriving in the terminal state is a step more */
static void compare_trace(const char *name, int terminal_at, bool in_turn) {
  json_error_t error;
  json_t *file = json_load_file("tests/golden/trace_and_controllers.json", 0, &error);
  assert_non_null(file);
  const json_t *golden = json_object_get(file, name);
  const int whole = terminal_at + in_turn;
  rig r = {0};
  trace_policy policy = {{&trace_policy_class}, &r};
  r.policy = &policy.base;
  rig_new(&r, (settings){.terminal_at = terminal_at, .start = 4, .in_turn = in_turn},
          in_turn ? traced_in_turn : traced);
  assert_int_equal(deer_agent_run(r.agent, 2, EPOCH), DEER_OK);

  int at = 0;
  size_t i;
  json_t *e;
  json_array_foreach(json_object_get(golden, "events"), i, e) {
    char line[96];
    if (!expected_line(e, whole, line)) continue;
    /* the environment is stopped once, right before the end */
    if (strncmp(line, "OnEnd", 5) == 0) assert_string_equal(events[at++], "stop");
    assert_true(at < n_events);
    assert_string_equal(events[at++], line);
  }
  assert_int_equal(at, n_events);
  assert_in_range(at, 100, MOST_EVENTS - 1);
  compare_statistics(&r, golden);
  compare_memory(&r, json_object_get(golden, "train_dataset"), whole);
  rig_end(&r);
  json_decref(file);
}

static void trace_with_terminal_states(void **state) {
  (void)state;
  compare_trace("vmaster_term4", 4, false);
}

static void trace_without_terminal_states(void **state) {
  (void)state;
  compare_trace("vmaster_term0", 0, false);
}

static void old_trace_with_terminal_states(void **state) {
  (void)state;
  compare_trace("v0.2_term4", 4, true);
}

static void old_trace_without_terminal_states(void **state) {
  (void)state;
  compare_trace("v0.2_term0", 0, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trace_with_terminal_states),
                                     cmocka_unit_test(trace_without_terminal_states),
                                     cmocka_unit_test(old_trace_with_terminal_states),
                                     cmocka_unit_test(old_trace_without_terminal_states)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_trace.c: every signal and call of a scripted run in the order in which DeeR makes them. What
 * differs is meant to: test epochs are not runs of their own, the environment stops once, and an
 * epoch that is over is not a terminal state. */
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

/* sample `i` of a list of terminals, but without those that only the end of an epoch made */
static bool truly_terminal(const json_t *terminals, size_t i, int terminal_at) {
  if (!json_boolean_value(json_array_get(terminals, i))) return false;
  int run = 1;
  for (size_t k = i; k > 0 && !json_boolean_value(json_array_get(terminals, k - 1)); k--) run++;
  return run == terminal_at;
}

/* the line that an event of the golden trace should leave here; false for one that should not be */
static bool expected_line(const json_t *e, int terminal_at, char line[96]) {
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
      endings[i] = truly_terminal(terminals, i, terminal_at) ? 'T' : '-';
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

static void compare_memory(const rig *r, const json_t *expected, int terminal_at) {
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
    /* what DeeR calls terminal because the epoch was over is truncated here */
    deer_ending ending = truly_terminal(terminals, i, terminal_at)    ? DEER_TERMINATED
                         : json_is_true(json_array_get(terminals, i)) ? DEER_TRUNCATED
                                                                      : DEER_RUNNING;
    assert_int_equal(deer_replay_ending(replay, slot), ending);
  }
  assert_false(deer_replay_next(replay, &slot));
}

static void compare_trace(const char *name, int terminal_at) {
  json_error_t error;
  json_t *file = json_load_file("tests/golden/trace_and_controllers.json", 0, &error);
  assert_non_null(file);
  const json_t *golden = json_object_get(file, name);
  rig r = {0};
  trace_policy policy = {{&trace_policy_class}, &r};
  r.policy = &policy.base;
  rig_new(&r, (settings){.terminal_at = terminal_at, .start = 4}, traced);
  assert_int_equal(deer_agent_run(r.agent, 2, 9), DEER_OK);

  int at = 0;
  size_t i;
  json_t *e;
  json_array_foreach(json_object_get(golden, "events"), i, e) {
    char line[96];
    if (!expected_line(e, terminal_at, line)) continue;
    /* the environment is stopped once, right before the end */
    if (strncmp(line, "OnEnd", 5) == 0) assert_string_equal(events[at++], "stop");
    assert_true(at < n_events);
    assert_string_equal(events[at++], line);
  }
  assert_int_equal(at, n_events);
  assert_in_range(at, 100, MOST_EVENTS - 1);
  int64_t n;
  assert_float_equal(deer_agent_mean_loss(r.agent, &n),
                     json_number_value(json_object_get(golden, "avgBellmanResidual")), 1e-12);
  assert_float_equal(deer_agent_mean_value(r.agent, &n),
                     json_number_value(json_object_get(golden, "avgEpisodeVValue")), 1e-12);
  compare_memory(&r, json_object_get(golden, "train_dataset"), terminal_at);
  rig_end(&r);
  json_decref(file);
}

static void trace_with_terminal_states(void **state) {
  (void)state;
  compare_trace("vmaster_term4", 4);
}

static void trace_without_terminal_states(void **state) {
  (void)state;
  compare_trace("vmaster_term0", 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trace_with_terminal_states),
                                     cmocka_unit_test(trace_without_terminal_states)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

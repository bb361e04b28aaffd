/* A loop of one's own in C: the program has a simulator, asks the learner for actions and tells it
 * what they led to. Here a pole on a cart is learnt by proximal policy optimisation, in a second.
 *
 *   cc -std=c11 examples/19_stand_alone_agent.c -Isrc build/libdeer.a $(pkg-config --libs openblas
 * libpng zlib jansson) -lm -pthread
 *
 * or, after `make install`, with $(pkg-config --cflags --libs deer). */
#include "deer.h"

#include <math.h>
#include <stdio.h>

/* ---- the simulator, which knows nothing of learning: Barto, Sutton and Anderson 1983 ---- */

enum { LONGEST = 500 };

typedef struct pole {
  deer_real seen[4]; /* place of the cart and its speed, angle of the pole and its speed */
  int steps;
} pole;

static void stand_up(pole *p, deer_rng *rng) {
  for (int i = 0; i < 4; i++) p->seen[i] = (deer_real)(0.1 * deer_rng_uniform(rng) - 0.05);
  p->steps = 0;
}

/* 20 ms of a push to the left, 0, or to the right, 1 */
static deer_ending push(pole *p, int right) {
  const double gravity = 9.8, cart = 1, mass = 0.1, half = 0.5, tau = 0.02;
  double angle = (double)p->seen[2], spin = (double)p->seen[3], total = cart + mass;
  double force = ((right ? 10 : -10) + mass * half * spin * spin * sin(angle)) / total;
  double turn = (gravity * sin(angle) - cos(angle) * force) /
                (half * (4.0 / 3 - mass * cos(angle) * cos(angle) / total));
  double change[] = {(double)p->seen[1], force - mass * half * turn * cos(angle) / total, spin,
                     turn};
  for (int i = 0; i < 4; i++) p->seen[i] += (deer_real)(tau * change[i]);
  if (fabs((double)p->seen[0]) > 2.4 || fabs((double)p->seen[2]) > 0.2095) return DEER_TERMINATED;
  return ++p->steps < LONGEST ? DEER_RUNNING : DEER_TRUNCATED;
}

/* ---- the loop ---- */

/* an episode from which it learns; *steps is how long the pole stood */
static deer_status practise(deer_learner *learner, deer_rng *rng, int *steps) {
  pole p;
  deer_real action;
  deer_outcome outcome = {.reward = 1, .next = (const void *[]){p.seen}};
  bool learnt;
  double loss;
  stand_up(&p, rng);
  while (outcome.ending == DEER_RUNNING) {
    DEER_TRY(deer_learner_choose(learner, 0, (const void *[]){p.seen}, true, &action));
    outcome.ending = push(&p, action == 1);
    DEER_TRY(deer_learner_observe(learner, &outcome));
    DEER_TRY(deer_learner_update(learner, &learnt, &loss));
  }
  *steps = p.steps;
  return DEER_OK;
}

/* an episode of the best actions, of which nothing is told */
static deer_status show(deer_learner *learner, deer_rng *rng, int *steps) {
  pole p;
  deer_real action;
  deer_ending ending = DEER_RUNNING;
  stand_up(&p, rng);
  while (ending == DEER_RUNNING) {
    DEER_TRY(deer_learner_choose(learner, 0, (const void *[]){p.seen}, false, &action));
    ending = push(&p, action == 1);
  }
  *steps = p.steps;
  return DEER_OK;
}

/* until ten episodes in a row have stood to the end; *mean is that of twenty more */
static deer_status run(deer_learner *learner, double *mean) {
  deer_rng rng = deer_rng_seed(1);
  int stood = 0, steps, episodes = 0;
  *mean = 0;
  for (; stood < 10 && episodes < 2000; episodes++) {
    DEER_TRY(practise(learner, &rng, &steps));
    stood = steps == LONGEST ? stood + 1 : 0;
  }
  for (int i = 0; i < 20; i++) {
    DEER_TRY(show(learner, &rng, &steps));
    *mean += steps / 20.0;
  }
  printf("%d episodes; greedy, 20 episodes: %.1f\n", episodes, *mean);
  return DEER_OK;
}

int main(void) {
  deer_blas_start();
  deer_rng rng = deer_rng_seed(1);
  const deer_space space = {.n_subjects = 1,
                            .subjects = {{.history = 1, .shape = DEER_SHAPE(4)}},
                            .actions = {.n = 2, .size = 1}};
  const deer_option options[] = {{"horizon", {DEER_VALUE_NUMBER, 1024, NULL}},
                                 {"batch_size", {DEER_VALUE_NUMBER, 64, NULL}},
                                 {"epochs", {DEER_VALUE_NUMBER, 10, NULL}}};
  const deer_algo_config algo_config = {
      .space = &space, .options = options, .n_options = 3, .rng = &rng};
  deer_algo *algo = NULL;
  deer_policy policy;
  deer_learner *learner = NULL;
  double mean = 0;
  deer_status status = deer_algo_new(deer_algo_find("ppo"), &algo_config, &algo);
  /* what PPO draws from its own distribution */
  if (status == DEER_OK)
    status = deer_policy_init(deer_policy_find("stochastic"), NULL, 0, &policy);
  if (status == DEER_OK) {
    const deer_learner_config config = {.algo = algo,
                                        .policy = &policy,
                                        .replay = deer_replay_find("uniform"),
                                        .replay_start_size = -1,
                                        .rng = &rng};
    status = deer_learner_new(&config, &learner);
  }
  if (status == DEER_OK) status = run(learner, &mean);
  if (status != DEER_OK) fprintf(stderr, "%s\n", deer_error());
  deer_learner_free(learner);
  deer_algo_free(algo);
  return status != DEER_OK || mean < 475;
}

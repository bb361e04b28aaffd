/* pool.c: worker threads and the hand-over of work. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define JOBS  (UINT32_MAX / DEER_MAX_THREADS)
#define SPINS 20000 /* turns before a waiting worker sleeps: some tens of microseconds */

static struct {
  pthread_mutex_t lock; /* of sleeping and of growing */
  pthread_cond_t wake;
  int n_workers; /* threads beside the caller's */
  int threads;   /* deer_threads() */
  atomic_flag busy;
  atomic_int sleepers, left; /* workers asleep; workers of the present job that are not done */
  atomic_uint job;           /* counts jobs, up to JOBS */
  int n;                     /* of the present job */
  deer_pool_work *work;
  void *context;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .threads = 1,
          .busy = ATOMIC_FLAG_INIT};

void deer_spin(int turn) {
  /* more threads than cores: let the other one run */
  if (turn > 2000) {
    sched_yield();
    return;
  }
#if defined(__SSE__)
  _mm_pause();
#endif
}

/* ---- workers ---- */

static void sleep_until_job_after(unsigned seen) {
  pthread_mutex_lock(&pool.lock);
  atomic_fetch_add(&pool.sleepers, 1);
  while (atomic_load(&pool.job) == seen) pthread_cond_wait(&pool.wake, &pool.lock);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.lock);
}

static void *worker_main(void *argument) {
  /* its number, and the last job before it was made */
  const int me = (int)((uintptr_t)argument % DEER_MAX_THREADS);
  unsigned seen = (unsigned)((uintptr_t)argument / DEER_MAX_THREADS);
  for (;;) {
    for (int turn = 0; atomic_load(&pool.job) == seen; turn++) {
      if (turn < SPINS)
        deer_spin(turn / 16);
      else
        sleep_until_job_after(seen);
    }
    seen = atomic_load(&pool.job);
    if (me < pool.n) pool.work(pool.context, me);
    atomic_fetch_sub(&pool.left, 1);
  }
  return NULL;
}

/* a forked child has the memory of the pool, but none of its threads */
static void forget_workers(void) {
  atomic_flag_clear(&pool.busy); /* whoever used it is not here */
  pool.n_workers = 0;
  pool.threads = 1;
}

static deer_status grow(int n_workers) {
  static bool registered;
  if (!registered) pthread_atfork(NULL, NULL, forget_workers);
  registered = true;
  while (pool.n_workers < n_workers) {
    pthread_t thread;
    const uintptr_t number = (uintptr_t)pool.n_workers + 1;
    const uintptr_t job = atomic_load(&pool.job);
    if (pthread_create(&thread, NULL, worker_main, (void *)(job * DEER_MAX_THREADS + number)))
      return deer_fail(DEER_ENOMEM, "the system gives no more than %d threads", pool.n_workers + 1);
    pthread_detach(thread);
    pool.n_workers++;
  }
  return DEER_OK;
}

/* ---- for everybody ---- */

int deer_threads(void) { return pool.threads; }

deer_status deer_threads_set(int n) {
  if (n < 1 || n > DEER_MAX_THREADS)
    return deer_fail(DEER_EINVAL, "threads must be 1 to %d, got %d", DEER_MAX_THREADS, n);
  if (atomic_flag_test_and_set(&pool.busy))
    return deer_fail(DEER_ESTATE, "threads cannot be set while a program runs on them");
  const deer_status status = grow(n - 1);
  pool.threads = pool.n_workers + 1 < n ? pool.n_workers + 1 : n;
  atomic_flag_clear(&pool.busy);
  return status;
}

bool deer_pool_run(int n, deer_pool_work *work, void *context) {
  if (n > pool.n_workers + 1 || atomic_flag_test_and_set(&pool.busy)) return false;
  pool.n = n;
  pool.work = work;
  pool.context = context;
  atomic_store(&pool.left, pool.n_workers);
  atomic_store(&pool.job, (atomic_load(&pool.job) + 1) % JOBS);
  if (atomic_load(&pool.sleepers) > 0) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
  work(context, 0);
  for (int turn = 0; atomic_load(&pool.left) > 0; turn++) deer_spin(turn);
  atomic_flag_clear(&pool.busy);
  return true;
}

/* answers.h: what entry.c, the public face, asks of what stands behind it: Python (start.c), nothing
 * (stub.c), or a test. Not installed for hosts.
 */
#ifndef LANDSTEP_ANSWERS_H
#define LANDSTEP_ANSWERS_H

#pragma GCC visibility push(default)
#include "landstep.h"
#pragma GCC visibility pop

/* What an answer returns on success. Not 0, which cffi returns when Python could not be reached. */
enum { LANDSTEP_DONE = 0x4c53, LANDSTEP_MESSAGE_SIZE = 4096 };

/* The public functions that need an answer, each with the parameters that landstep.h gives it. */
#define LANDSTEP_EACH_ANSWER(X)                                                              \
  X(open) X(baseline) X(baseline_float) X(put) X(put_float) X(update) X(changed) X(get)      \
  X(get_float) X(get_previous) X(get_previous_float) X(get_monthly) X(get_monthly_float)     \
  X(add_change) X(add_change_float) X(get_change) X(get_change_float) X(get_coverage)        \
  X(get_transition) X(get_transition_float) X(get_maximum) X(get_maximum_float)              \
  X(describe) X(field_count) X(field_name) X(write_restart) X(close)
#define LANDSTEP_MEMBER(name) __typeof__(landstep_##name) *name;
typedef struct {
  LANDSTEP_EACH_ANSWER(LANDSTEP_MEMBER)
} landstep_answers;

/* The answers, or a status whose text landstep_fail has kept. landstep_started is for a call with a
 * handle, which starts nothing. */
int landstep_start(const landstep_answers **answers);
int landstep_started(const landstep_answers **answers);

/* Let go of a lock that other threads may wait for while this one works; NULL: none was held. */
void *landstep_release(void);
void landstep_reacquire(void *held);

/* Keep the text of a failure for landstep_last_error; returns the status. */
int landstep_fail(int status, const char *text);

#endif

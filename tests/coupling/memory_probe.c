/* Calls every function of landstep.h with arrays from the heap that are exactly as long as they must
 * be, with NULL where NULL is allowed, with wrong arguments, and from two threads. Run under tools that
 * watch memory. Usage: memory_probe EXPECTED, the status that a good call must return.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "landstep.h"

enum { POINTS = 5, CORNERS = 4, MONTHS = 12 };

static int expected, failures;

static void look(const char *call, int status, int wanted) {
  if (status == wanted) return;
  failures++;
  fprintf(stderr, "%s returned %d, expected %d\n", call, status, wanted);
}

#define GOOD(call) look(#call, call, expected)
#define BAD(call) look(#call, call, expected ? expected : LANDSTEP_COUPLING_ERROR)

static void *room(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) abort();
  return memory;
}

static double *doubles(size_t count) { return room(count, sizeof(double)); }

static int open_points(const char *experiment, int *handle) {
  double *arrays[] = {doubles(POINTS),           doubles(POINTS),           doubles(2 * POINTS),
                      doubles(2 * POINTS),       doubles(CORNERS * POINTS), doubles(CORNERS * POINTS),
                      doubles(POINTS)};
  long long *index = room(POINTS, sizeof *index);
  int *mask = room(POINTS, sizeof *mask), *year = room(1, sizeof *year), status;
  size_t i;
  landstep_points points = {LANDSTEP_ABI, CORNERS,   POINTS,    arrays[0], arrays[1], arrays[2],
                            arrays[3],    arrays[4], arrays[5], arrays[6], index,     mask};
  status = landstep_open(experiment, &points, LANDSTEP_SERIAL, year, "r.nc", "branch", handle);
  for (i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(index);
  free(mask);
  free(year);
  return status;
}

static void fields(int handle) {
  double *one = doubles(POINTS), *two = doubles(POINTS), *months = doubles(MONTHS * POINTS);
  float *single = room(POINTS, sizeof *single), *other = room(POINTS, sizeof *other);
  float *float_months = room(MONTHS * POINTS, sizeof *float_months);
  GOOD(landstep_baseline(handle, "a", months, POINTS, MONTHS));
  GOOD(landstep_baseline_float(handle, "a", float_months, POINTS, MONTHS));
  GOOD(landstep_put(handle, "a", one, POINTS, "K"));
  GOOD(landstep_put_float(handle, "a", single, POINTS, NULL));
  GOOD(landstep_put(handle, "a", NULL, 0, NULL));
  GOOD(landstep_get(handle, "a", one, POINTS));
  GOOD(landstep_get_float(handle, "a", single, POINTS));
  GOOD(landstep_get_previous(handle, "a", one, POINTS));
  GOOD(landstep_get_previous_float(handle, "a", single, POINTS));
  GOOD(landstep_get_monthly(handle, "a", months, POINTS, MONTHS));
  GOOD(landstep_get_monthly_float(handle, "a", float_months, POINTS, MONTHS));
  GOOD(landstep_add_change(handle, "a", one, POINTS));
  GOOD(landstep_add_change_float(handle, "a", single, POINTS));
  GOOD(landstep_get_change(handle, "a", one, two, POINTS));
  GOOD(landstep_get_change_float(handle, "a", single, other, POINTS));
  GOOD(landstep_get_transition(handle, "a", "b", one, POINTS));
  GOOD(landstep_get_transition_float(handle, "a", "b", single, POINTS));
  GOOD(landstep_get_maximum(handle, "a", one, POINTS, 2100));
  GOOD(landstep_get_maximum_float(handle, "a", single, POINTS, 2100));
  BAD(landstep_get_transition(handle, "a", "x", one, POINTS));
  BAD(landstep_get_change(handle, "a", one, one + POINTS - 1, POINTS));
  BAD(landstep_get(handle, "a", one, -1));
  BAD(landstep_get(handle, NULL, one, POINTS));
  BAD(landstep_get(handle, "x", one, POINTS));
  BAD(landstep_get_monthly(handle, "x", months, POINTS, MONTHS));
  BAD(landstep_add_change(handle, "x", one, POINTS));
  free(one);
  free(two);
  free(months);
  free(single);
  free(other);
  free(float_months);
}

static void texts(int handle) {
  char text[16], *message;
  int count = 0, size, length;
  GOOD(landstep_describe(handle, "a", "units", text, sizeof text));
  GOOD(landstep_field_count(handle, &count));
  GOOD(landstep_field_name(handle, 1, text, sizeof text));
  BAD(landstep_write_restart(handle, "x"));
  length = landstep_last_error(NULL, 0);
  for (size = 0; size <= 2 * length; size += 1 + length / 50) {
    message = room((size_t)size + 1, 1);
    landstep_last_error(message, size);
    if (size > 0 && strlen(message) >= (size_t)size) failures++;
    landstep_version(message, size);
    free(message);
  }
}

static void *host(void *unused) {
  int handle = 0, changed = 0;
  landstep_points none = {.abi = LANDSTEP_ABI}, old = {.abi = 1};
  GOOD(open_points("a", &handle));
  GOOD(landstep_open("a", &none, LANDSTEP_SERIAL, NULL, NULL, NULL, &handle));
  look("an old header", landstep_open("a", &old, LANDSTEP_SERIAL, NULL, NULL, NULL, &handle),
       LANDSTEP_DEPENDENCY_ERROR);
  BAD(open_points("x", &handle));
  BAD(landstep_open("a", NULL, LANDSTEP_SERIAL, NULL, NULL, NULL, &handle));
  fields(handle);
  texts(handle);
  GOOD(landstep_update(handle, 2015, 1, 1, &changed));
  look("Python not reached", landstep_update(handle, 2015, 13, 1, &changed),
       expected ? expected : LANDSTEP_ERROR);
  GOOD(landstep_changed(handle, "a", &changed));
  GOOD(landstep_write_restart(handle, "a"));
  GOOD(landstep_close(handle));
  return unused;
}

int main(int argc, char **argv) {
  pthread_t other;
  if (argc != 2) return 2;
  expected = atoi(argv[1]);
  if (landstep_abi() != LANDSTEP_ABI) return 3;
  host(NULL);
  if (pthread_create(&other, NULL, host, NULL) != 0 || pthread_join(other, NULL) != 0) return 4;
  return failures ? 1 : 0;
}

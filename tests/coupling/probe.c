/* A host that is as unfriendly as hosts are: it traps floating-point exceptions, rounds upward,
 * flushes denormals, and has its own SIGINT handler and locale. After every call it looks whether
 * all of that is as it was. Usage: probe EXPERIMENT RESULT; the result is text, nothing is printed.
 */
#define _GNU_SOURCE
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "landstep.h"

enum { TRAPS = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW, POINTS = 3 };

static FILE *result;

static void on_interrupt(int number) { (void)number; }

static unsigned int control(void) {
#if defined(__SSE__)
  return _mm_getcsr();
#else
  return 0;
#endif
}

static void be_unfriendly(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, NULL);
  feenableexcept(TRAPS);
  fesetround(FE_UPWARD);
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
  feraiseexcept(FE_INEXACT);
}

static void look(const char *call, int status, unsigned int control_before, const char *locale) {
  struct sigaction action;
  char text[512] = "";
  sigaction(SIGINT, NULL, &action);
  if (status) landstep_last_error(text, sizeof text);
  fprintf(result, "%s status=%d traps=%d rounding=%d control=%d flags=%d interrupt=%d locale=%d %s\n",
          call, status, fegetexcept() == TRAPS, fegetround() == FE_UPWARD,
          control() == control_before, fetestexcept(FE_ALL_EXCEPT) == FE_INEXACT,
          action.sa_handler == on_interrupt, strcmp(setlocale(LC_ALL, NULL), locale) == 0, text);
}

int main(int argc, char **argv) {
  double lon[POINTS] = {-29.31, 330.9, 20.0}, lat[POINTS] = {49.5, 49.8, 49.5};
  double lon_bounds[2 * POINTS] = {-29.4, -29.2, 330.8, 331.0, 19.9, 20.1};
  double lat_bounds[2 * POINTS] = {49.4, 49.6, 49.7, 49.9, 49.4, 49.6};
  double values[POINTS];
  landstep_points points = {.abi = LANDSTEP_ABI, .n_points = POINTS, .lon_deg = lon, .lat_deg = lat};
  char locale[256];
  int handle = 0, changed = 0, start = 2015, year, i;
  unsigned int before;
  if (argc != 3 || !(result = fopen(argv[2], "w"))) return 2;
  setlocale(LC_ALL, ""); /* what the environment says */
  snprintf(locale, sizeof locale, "%s", setlocale(LC_ALL, NULL));
  be_unfriendly();
  before = control();
  look("update_before_open", landstep_update(1, 2015, 1, 1, &changed), before, locale);
  look("open_wrong_file", landstep_open("no_such.toml", &points, LANDSTEP_SERIAL, &start, NULL, NULL,
                                        &handle), before, locale);
  points.lon_bounds_deg = lon_bounds;
  points.lat_bounds_deg = lat_bounds;
  look("open", landstep_open(argv[1], &points, LANDSTEP_SERIAL, &start, NULL, NULL, &handle), before,
       locale);
  for (year = 2015; year <= 2018; year++) {
    look("update", landstep_update(handle, year, 1, 1, &changed), before, locale);
    look("get", landstep_get(handle, "area_fraction_forest", values, POINTS), before, locale);
    fprintf(result, "forest %d", year);
    for (i = 0; i < POINTS; i++) fprintf(result, " %a", values[i]);
    fprintf(result, "\n");
  }
  look("skip", landstep_update(handle, 2031, 1, 1, &changed), before, locale);
  look("misspelt", landstep_get(handle, "forrest", values, POINTS), before, locale);
  look("close", landstep_close(handle), before, locale);
  look("get_after_close", landstep_get(handle, "area_fraction_forest", values, POINTS), before, locale);
  return fclose(result) == 0 ? 0 : 3;
}

/* landstep.h: this year's land use in a host model, from C.
 *
 * Every function returns 0 (LANDSTEP_OK) or one of the codes below; landstep_last_error then gives
 * the text. A call that fails changes nothing: no output is written, the land surface stays where
 * it was, and the host can go on. The library never prints, never stops the host, keeps no pointer
 * after the call, and leaves floating-point traps, rounding, flush-to-zero, the locale and the
 * handler of SIGINT as it found them. Calls may come from any thread; two calls with the same
 * handle wait for each other. After fork() the child can make no further call.
 *
 * Arrays are flat. Points are in degrees: longitude -180..180 or 0..360, latitude -90..90.
 * The first call starts Python: $LANDSTEP_PYTHON if set, else the python3 of the environment that
 * holds this library.
 */
#ifndef LANDSTEP_H
#define LANDSTEP_H

/* The version of this interface; landstep_abi() gives that of the library. They must be equal. */
#define LANDSTEP_ABI 1

/* What a call returns. The same numbers are `status` of landstep's Python exceptions. */
enum landstep_status {
  LANDSTEP_OK = 0,
  LANDSTEP_ERROR = 1,           /* anything not named below */
  LANDSTEP_INPUT_ERROR = 2,     /* a file, or the data in it */
  LANDSTEP_MODEL_ERROR = 3,     /* the ONNX model */
  LANDSTEP_CONFIG_ERROR = 4,    /* the experiment file */
  LANDSTEP_STEP_ERROR = 5,      /* a year that cannot be reached, or a call out of order */
  LANDSTEP_STATE_ERROR = 6,     /* a restart file */
  LANDSTEP_CHECK_ERROR = 7,     /* a result that breaks what must hold */
  LANDSTEP_COUPLING_ERROR = 8,  /* a handle, field name, array or point list */
  LANDSTEP_DEPENDENCY_ERROR = 9 /* Python or a package is missing */
};

/* The number that dominant_class holds for a point outside the emulator's grid. */
#define LANDSTEP_OUTSIDE 255

#ifdef __cplusplus
extern "C" {
#endif

/* The interface version of the library. */
int landstep_abi(void);

/* Open an experiment on a host's points.
 *   experiment       path of the experiment file, UTF-8
 *   n_points         number of points, 0 or more
 *   lon_deg, lat_deg (n_points) centres
 *   lon_bounds_deg   (n_points, 2) west and east edge, or NULL: the nearest cell is taken
 *   lat_bounds_deg   (n_points, 2) south and north edge, or NULL; both bounds or neither
 *   year             the year to start from, or NULL: the experiment's (or the restart's)
 *   restart          path of a restart file, or NULL
 *   handle           out: a positive number for the calls below
 */
int landstep_open(const char *experiment, long long n_points, const double *lon_deg,
                  const double *lat_deg, const double *lon_bounds_deg,
                  const double *lat_bounds_deg, const int *year, const char *restart,
                  int *handle);

/* Bring the land surface to a date (month 1..12, day 1..31). Inside the year already reached
 * nothing happens; the next year is one step; any other year is an error.
 *   changed          out: 1 if fields moved since the host last heard, else 0
 * The first call after opening says 1: the host has no fields yet.
 */
int landstep_update(int handle, int year, int month, int day, int *changed);

/* Copy a field: area_fraction_<class>, dominant_class or covered_fraction.
 *   values           out: (n_values); n_values must be the n_points of landstep_open
 */
int landstep_get(int handle, const char *name, double *values, long long n_values);

/* The same in single precision, rounded to nearest. */
int landstep_get_float(int handle, const char *name, float *values, long long n_values);

/* Write a restart file; the old one stays until the new one is complete. */
int landstep_write_restart(int handle, const char *path);

/* Give the handle back. */
int landstep_close(int handle);

/* Copy the text (UTF-8) of the last call that failed on this thread, cut at a whole character to
 * fit size bytes with its final NUL. Returns the full length without the NUL.
 */
int landstep_last_error(char *text, int size);

#ifdef __cplusplus
}
#endif

#endif

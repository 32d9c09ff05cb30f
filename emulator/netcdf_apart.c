/* The netCDF4 package with libraries of its own, in a process whose malloc is not libc's.
 *
 * dlopen with RTLD_DEEPBIND lets a library find the symbols of the libraries that it came with before
 * those of the process, so that a host's own libnetcdf and libhdf5 are not in its way. But then it finds
 * libc's malloc, too, and frees with it what another malloc handed out: jemalloc, tcmalloc, a sanitizer.
 *
 * This library is opened with RTLD_DEEPBIND and needs netCDF4's extension module, whose path is written
 * over the letters of netcdf_apart_needed.c (emulator/netcdf_library.py). All that is loaded with it
 * looks here first, and finds a malloc that asks the process for its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stddef.h>

/* The same name as the process finds it: the program, what it is linked to, what was preloaded. Not
 * RTLD_DEFAULT, which begins with this library. */
#define OF_PROCESS(kind, name, parameters, arguments)                            \
  kind name parameters {                                                         \
    static kind(*found) parameters;                                              \
    if (!found) found = (kind(*) parameters)dlsym(dlopen(NULL, RTLD_LAZY), #name); \
    return found arguments;                                                      \
  }

OF_PROCESS(void *, malloc, (size_t size), (size))
OF_PROCESS(void *, calloc, (size_t count, size_t size), (count, size))
OF_PROCESS(void *, realloc, (void *memory, size_t size), (memory, size))
OF_PROCESS(void *, reallocarray, (void *memory, size_t count, size_t size), (memory, count, size))
OF_PROCESS(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
OF_PROCESS(void *, memalign, (size_t alignment, size_t size), (alignment, size))
OF_PROCESS(void *, valloc, (size_t size), (size))
OF_PROCESS(void *, pvalloc, (size_t size), (size))
OF_PROCESS(int, posix_memalign, (void **memory, size_t alignment, size_t size),
           (memory, alignment, size))
OF_PROCESS(size_t, malloc_usable_size, (void *memory), (memory))
OF_PROCESS(void, free, (void *memory), (memory))

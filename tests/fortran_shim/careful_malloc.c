/* Another malloc: libc's, with a mark before what it hands out. To free or resize what has no mark, or
 * to let libc free what has one, stops the program: so does every malloc that is not libc's. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);
extern void abort(void) __attribute__((noreturn));

typedef struct { uint64_t mark; uint32_t before; uint32_t unused; size_t size; size_t pad; } head;
enum { LEAST = sizeof(head) };
static const uint64_t MARK = 0x6c616e6473746570;

static head *head_of(void *memory) {
  static const char text[] = "careful_malloc: memory of another malloc\n";
  head *found = (head *)((char *)memory - LEAST);
  if (found->mark != MARK) {
    if (write(2, text, sizeof text - 1) < 0) abort();
    abort();
  }
  return found;
}

void *memalign(size_t alignment, size_t size) {
  size_t before = alignment > LEAST ? alignment : LEAST;
  char *memory;
  head *made;
  if (size > (size_t)-1 - before - LEAST) { errno = ENOMEM; return NULL; }
  memory = __libc_memalign(before, size + before);
  if (!memory) return NULL;
  made = (head *)(memory + before - LEAST);
  made->mark = MARK;
  made->before = (uint32_t)before;
  made->size = size;
  return memory + before;
}

void free(void *memory) {
  int kept = errno;
  head *found;
  if (!memory) return;
  found = head_of(memory);
  found->mark = 0;
  __libc_free((char *)memory - found->before);
  errno = kept;
}

void *malloc(size_t size) { return memalign(LEAST, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
void *valloc(size_t size) { return memalign(4096, size); }
void *pvalloc(size_t size) { return memalign(4096, (size + 4095) / 4096 * 4096); }
size_t malloc_usable_size(void *memory) { return memory ? head_of(memory)->size : 0; }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *made = memalign(alignment, size);
  if (!made) return ENOMEM;
  *memory = made;
  return 0;
}

void *calloc(size_t count, size_t size) {
  size_t total;
  void *memory;
  if (__builtin_mul_overflow(count, size, &total)) { errno = ENOMEM; return NULL; }
  memory = malloc(total);
  return memory ? memset(memory, 0, total) : NULL;
}

void *realloc(void *memory, size_t size) {
  void *made;
  size_t old;
  if (!memory) return malloc(size);
  old = head_of(memory)->size;
  made = malloc(size);
  if (!made) return NULL;
  memcpy(made, memory, old < size ? old : size);
  free(memory);
  return made;
}

void *reallocarray(void *memory, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) { errno = ENOMEM; return NULL; }
  return realloc(memory, total);
}

/**
 * \file
 * csys/base/attributes.h - what the declarations of csys are marked with.
 *
 * A compiler that does not know a mark sees nothing in its place.  Builds that
 * need another export mark (a Windows DLL, say) define CSYS_API themselves.
 */
#ifndef CSYS_BASE_ATTRIBUTES_H
#define CSYS_BASE_ATTRIBUTES_H

#if defined(__GNUC__)
#define CSYSI_ATTRIBUTE(x) __attribute__(x)
#else
#define CSYSI_ATTRIBUTE(x)
#endif

#ifndef CSYS_API
/** Mark a declaration as part of the interface: visible outside the shared library. */
#define CSYS_API CSYSI_ATTRIBUTE((visibility("default")))
#endif

/** Mark a function whose result must be looked at: compilers warn where it is not. */
#define CSYS_MUST_CHECK CSYSI_ATTRIBUTE((warn_unused_result))

/* May stay unused: functions that a macro makes. */
#define CSYSI_UNUSED CSYSI_ATTRIBUTE((unused))

/* `x`, which is true as a rule: the compiler lays the code out for that. */
#if defined(__GNUC__)
#define CSYSI_LIKELY(x) (__builtin_expect(!!(x), 1) != 0)
#else
#define CSYSI_LIKELY(x) (!!(x))
#endif

/*
 * 1 if objects are ELF: then a variable of a shared library can be each thread's own, and a weak
 * reference that leads nowhere is NULL.  The only test for a system or its formats outside src/os.
 */
#if defined(__ELF__)
#define CSYSI_IS_ELF 1
#else
#define CSYSI_IS_ELF 0
#endif

#ifdef __cplusplus
#define CSYS_BEGIN_DECLS extern "C" {
#define CSYS_END_DECLS }
#define CSYSI_NULL nullptr
#define CSYSI_CAST(type, x) (reinterpret_cast<type>(x))
#else
/** Begin declarations of C functions: extern "C" in C++. */
#define CSYS_BEGIN_DECLS
/** End what CSYS_BEGIN_DECLS began. */
#define CSYS_END_DECLS
#define CSYSI_NULL ((void *)0)
#define CSYSI_CAST(type, x) ((type)(x))
#endif

/*
 * `value`, which must be a constant and at most `most`: neither a variable nor more compiles.  For
 * initialisers, also of static objects.
 */
#ifdef __cplusplus
extern "C++" {
template <bool is_small_enough> struct csysi_limit;
template <> struct csysi_limit<true> {
	enum : unsigned { CSYSI_ZERO };
};
}
#define CSYSI_AT_MOST(value, most) ((value) + 0u + csysi_limit<((value) <= (most))>::CSYSI_ZERO)
#else
#define CSYSI_AT_MOST(value, most) \
	((value) + 0u * sizeof(struct { int csysi_is_too_large : (value) <= (most) ? 1 : -1; }))
#endif

#endif

/**
 * \file
 * csys/ipc/names.h - where objects with names live, which there are, and removing old ones.
 *
 *     csys_names *names;
 *     csys_name_info info;
 *     int r = csys_names_open(CSYS_NAMES_USER, &names);
 *     while (r >= 0 && (r = csys_names_next(names, &info)) > 0)
 *             printf("%s %s\n", info.state == CSYS_NAME_IN_USE ? "used" : "left", info.name);
 *     csys_names_close(names);
 *
 * Shared memory, semaphores and other objects that programs find by a name are files in one
 * directory.  There is one for each user, in which others have no permission, and it is the same
 * for a login shell, a service and a cron job: on Linux `/dev/shm/csys-UID`, on other systems with
 * POSIX `/tmp/csys-UID`, where UID is the effective user.  It is made when it is first needed.  It
 * must belong to the user and be closed to others (mode 0700), and must not be a symbolic link;
 * else every call that needs it returns CSYS_EPERM or CSYS_ENOTDIR, since another user may have
 * made it.  Its parents have to exist: else it is CSYS_ENOENT.
 *
 * Another directory is chosen by csys_names_set_directory, or by the environment variable
 * CSYS_DIRECTORY, which programs that run with more privileges than their caller ignore.  Programs
 * only find each other's objects if they use the same directory.
 *
 * With CSYS_NAMES_GLOBAL an object is for programs of all users.  It lives in `/dev/shm` or `/tmp`
 * itself, with the permissions that its creator chose, and only its owner can remove it.  Since any
 * user may be first to take a name there, an object that belongs neither to this user nor to the
 * administrator is refused with CSYS_EPERM, unless the call's options accept it.
 *
 * A name is 1 to CSYS_NAME_MAX bytes of UTF-8 without '/', and not "." or "..".  Objects of
 * different kinds may have the same name.  Long names, and all names where those of the
 * system are short, are hashed for it; two names never mean one object.
 *
 * A name appears in one step and with a whole object behind it, however its creator ends.  The
 * system itself knows which objects are open somewhere, so an object that is left over is told from
 * one in use with certainty, also after a crash and across containers that share the directory.  An
 * object that a forked child has inherited is in use by it.
 *
 * On Linux, systemd-logind removes the objects of a user in /dev/shm when the user's last session
 * ends, unless RemoveIPC=no is set or it is a system user: a service that runs as an ordinary user
 * loses names that way (not the objects that it has open).  Such a service chooses a directory of
 * its own below /run (RuntimeDirectory=).  Nothing in /dev/shm outlives a reboot.
 *
 * Threads: any thread may call all of it; one scan is for one thread at a time.  Fork: a
 * forked child has the directories that were set; do not go on with one scan in both.
 */
#ifndef CSYS_IPC_NAMES_H
#define CSYS_IPC_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** How many bytes a name has at most. */
#define CSYS_NAME_MAX 1023

/** Whose programs find an object. */
enum {
	CSYS_NAMES_USER = 0,  /**< those of this user */
	CSYS_NAMES_GLOBAL = 1 /**< those of all users; the object's permissions tell which */
};

/** What kind of object has a name. */
enum {
	CSYS_NAME_UNKNOWN = 0,   /**< nothing that this version knows */
	CSYS_NAME_SHM = 1,       /**< csys/ipc/shm.h */
	CSYS_NAME_SEMAPHORE = 2, /**< a named semaphore */
	CSYS_NAME_LOCK_FILE = 3, /**< a lock file */
	CSYS_NAME_REGION = 4,    /**< memory with members */
	CSYS_NAME_HALF_MADE = 5  /**< an object that is being made, or whose creator has died */
};

/** Whether an object is used. */
enum {
	CSYS_NAME_IN_USE = 1,    /**< open in some process */
	CSYS_NAME_LEFT_OVER = 2, /**< open in none */
	CSYS_NAME_NOT_TOLD = 3   /**< this user may not open it */
};

/**
 * Choose the directory where this process finds objects, in place of the usual one.
 *
 * Objects that are open stay so.  The directory is made and checked when it is needed.
 *
 * \param scope  CSYS_NAMES_USER: a directory of the effective user alone; or CSYS_NAMES_GLOBAL: one
 *               that exists, belongs to the administrator or this user, and is sticky if others may
 *               write into it
 * \param path   its absolute path, which is copied; NULL for the usual one again
 * \retval 0                  it is chosen
 * \retval CSYS_EINVAL        no such scope, or the path is not absolute
 * \retval CSYS_ENAMETOOLONG  the path is longer than 4095 bytes
 * \retval CSYS_ENOMEM        no memory
 */
CSYS_API CSYS_MUST_CHECK int csys_names_set_directory(int scope, const char *path);

/**
 * Tell the path of the directory where this process finds objects.
 *
 * It is told whether it exists or not.
 *
 * \param scope   CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param buffer  where the path goes, with a NUL
 * \param size    how many bytes there are; 4096 are enough
 * \retval 0                  it is told
 * \retval CSYS_ENAMETOOLONG  the buffer is too small, or CSYS_DIRECTORY too long
 * \retval CSYS_EINVAL        no such scope, `buffer` is NULL, or CSYS_DIRECTORY is not absolute
 * \retval CSYS_ENOMEM        no memory to read the environment
 */
CSYS_API CSYS_MUST_CHECK int csys_names_directory(int scope, char *buffer, size_t size);

/**
 * Remove the name of an object, whether it is in use or not.
 *
 * Programs that have the object open keep it, and the name is free for another one.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param kind   CSYS_NAME_SHM, ...
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_ENOENT  there was none
 * \retval CSYS_EBUSY   another process is removing it and does not go on; or it belongs to another
 *                      user and is in use (for the administrator)
 * \retval CSYS_EACCES  it belongs to another user; so with CSYS_EPERM, also of the directory
 * \retval CSYS_EINVAL  no such scope or kind, or no such name can be
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_EBADMSG  what has the name is no file, such as a symbolic link, and stays
 * \retval CSYS_EMFILE  no handle is left
 */
CSYS_API CSYS_MUST_CHECK int csys_names_remove(int scope, int kind, const char *name);

/**
 * Remove the name of an object if no process has the object open.
 *
 * A process that opens the object at the same time either is earlier, and keeps it with its name,
 * or finds no object.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param kind   CSYS_NAME_SHM, ...
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_EBUSY   the object is in use
 * \retval CSYS_ENOENT  there was none
 * \retval CSYS_EACCES  it belongs to another user; so with CSYS_EPERM, also of the directory
 * \retval CSYS_EINVAL  no such scope or kind, or no such name can be
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_EBADMSG  what has the name is no file, such as a symbolic link, and stays
 * \retval CSYS_EMFILE  no handle is left
 */
CSYS_API CSYS_MUST_CHECK int csys_names_remove_unused(int scope, int kind, const char *name);

/**
 * Remove all objects of this user that no process has open, and what dead creators have left.
 *
 * Users that come meanwhile are safe, as with csys_names_remove_unused.  Files whose names are not
 * those of objects of csys stay, and so do objects of other users.  One that cannot be removed does
 * not keep the others.
 *
 * \param scope        CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param kind         CSYS_NAME_SHM, ...; 0 for all
 * \param out_removed  how many were removed, on failure too; may be NULL
 * \retval 0            none is left
 * \retval CSYS_EPERM   the directory is not safe; or so with one that could not be removed
 * \retval CSYS_EACCES  so with the directory, or with one that could not be removed
 * \retval CSYS_EINVAL  no such scope or kind
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval other        what the system says of one that could not be removed
 */
CSYS_API CSYS_MUST_CHECK int csys_names_clean(int scope, int kind, size_t *out_removed);

/* ---- listing ------------------------------------------------------------------------------ */

/** A scan of the objects that have names. */
typedef struct csys_names csys_names;

/** An object, as a scan finds it. */
typedef struct csys_name_info {
	const char *name; /**< its name, until the next use of the scan; "" if it is not known */
	const char *file; /**< the name of its file in the directory, as long as that */
	int kind;         /**< CSYS_NAME_SHM, ... */
	int state;        /**< CSYS_NAME_IN_USE, CSYS_NAME_LEFT_OVER or CSYS_NAME_NOT_TOLD */
	int mode;         /**< its permissions */
	int64_t owner;    /**< the user that it belongs to */
	uint64_t size;    /**< the memory that it takes, in bytes */
	uintptr_t reserved[2]; /**< private */
} csys_name_info;

/**
 * Begin a scan of all objects in the directory of a scope.
 *
 * A name that comes or goes during the scan may be missed, and none comes twice.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param out    the scan, to be closed by csys_names_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EPERM   the directory is not safe
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  no such scope, or `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_names_open(int scope, csys_names **out);

/**
 * Read the next object of a scan.
 *
 * \param names  the scan
 * \param out    the object.  Unchanged unless the result is 1
 * \retval 1            *out is an object
 * \retval 0            all were read
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_names_next(csys_names *names, csys_name_info *out);

/**
 * End a scan and release it.
 *
 * \param names  the scan; NULL is ignored
 */
CSYS_API void csys_names_close(csys_names *names);
CSYSI_AUTO(csys_names, csys_names_close(*object))

CSYS_END_DECLS

#endif

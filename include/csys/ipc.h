/**
 * \file
 * csys/ipc.h - what two processes share.
 */
#ifndef CSYS_IPC_H
#define CSYS_IPC_H

#include <csys/ipc/activation.h>
#include <csys/ipc/address.h>
#include <csys/ipc/caller.h>
#include <csys/ipc/connection.h>
#include <csys/ipc/datagram.h>
#include <csys/ipc/fifo.h>
#include <csys/ipc/file_lock.h>
#include <csys/ipc/framing.h>
#include <csys/ipc/ip_address.h>
#include <csys/ipc/listener.h>
#include <csys/ipc/lock_file.h>
#include <csys/ipc/map.h>
#include <csys/ipc/message.h>
#include <csys/ipc/message_queue.h>
#include <csys/ipc/named_barrier.h>
#include <csys/ipc/named_event.h>
#include <csys/ipc/named_mutex.h>
#include <csys/ipc/named_object.h>
#include <csys/ipc/named_rwlock.h>
#include <csys/ipc/named_semaphore.h>
#include <csys/ipc/names.h>
#include <csys/ipc/parcel.h>
#include <csys/ipc/peer.h>
#include <csys/ipc/region.h>
#include <csys/ipc/region_info.h>
#include <csys/ipc/service.h>
#include <csys/ipc/shared_barrier.h>
#include <csys/ipc/shared_channel.h>
#include <csys/ipc/shared_channel_in_place.h>
#include <csys/ipc/shared_condvar.h>
#include <csys/ipc/shared_event.h>
#include <csys/ipc/shared_guard.h>
#include <csys/ipc/shared_locked.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/ipc/shared_once.h>
#include <csys/ipc/shared_permits.h>
#include <csys/ipc/shared_rwlock.h>
#include <csys/ipc/shared_semaphore.h>
#include <csys/ipc/shm.h>
#include <csys/ipc/socket.h>
#include <csys/ipc/socket_transfer.h>
#include <csys/ipc/tcp.h>
#include <csys/ipc/typed_shared_channel.h>

#endif

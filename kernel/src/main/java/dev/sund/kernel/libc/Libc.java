package dev.sund.kernel.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Functions of the C library. A failed call returns the negated errno; nothing here throws for what
 * the kernel answers.
 *
 * <p>Each function's handle is linked when it is first called, since linking takes milliseconds and
 * no program needs them all. Calls that the manual lets wait begin with {@link #refuseVirtual}.
 */
public final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /** The size of {@code struct epoll_event}: packed on amd64 alone. */
  public static final int EPOLL_EVENT_SIZE = isAmd64() ? 12 : 16;

  /** Where {@code data} begins in {@code struct epoll_event}. */
  public static final int EPOLL_EVENT_DATA = isAmd64() ? 4 : 8;

  private Libc() {}

  /**
   * Throws when the calling thread is virtual: a blocking native call would hold its carrier.
   *
   * @throws IllegalStateException on a virtual thread
   */
  public static void refuseVirtual(String call) {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException(
          call + " blocks and so must run on a platform thread, but this thread is virtual");
    }
  }

  private static boolean isAmd64() {
    String arch = System.getProperty("os.arch", "");
    return arch.equals("amd64") || arch.equals("x86_64");
  }

  private static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    all[0] = Linker.Option.captureCallState("errno");
    System.arraycopy(options, 0, all, 1, options.length);
    MemorySegment address =
        LINKER
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no " + name));
    return LINKER.downcallHandle(address, type, all);
  }

  private static FunctionDescriptor ints(MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_INT, arguments);
  }

  private static FunctionDescriptor longs(MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_LONG, arguments);
  }

  private static int result(int value, MemorySegment state) {
    return value == -1 ? -(int) ERRNO.get(state, 0L) : value;
  }

  private static long result(long value, MemorySegment state) {
    return value == -1 ? -(int) ERRNO.get(state, 0L) : value;
  }

  /** {@code invokeExact} declares Throwable, but a downcall throws only for our own mistakes. */
  private static AssertionError impossible(Throwable thrown) {
    return new AssertionError(thrown);
  }

  private static final class Socket {
    static final MethodHandle HANDLE = link("socket", ints(JAVA_INT, JAVA_INT, JAVA_INT));
  }

  /** socket(2). */
  public static int socket(int domain, int type, int protocol) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Socket.HANDLE.invokeExact(state, domain, type, protocol), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Bind {
    static final MethodHandle HANDLE = link("bind", ints(JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** bind(2). */
  public static int bind(int fd, MemorySegment address, int length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Bind.HANDLE.invokeExact(state, fd, address, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Connect {
    static final MethodHandle HANDLE = link("connect", ints(JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** connect(2). */
  public static int connect(int fd, MemorySegment address, int length) {
    refuseVirtual("connect");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Connect.HANDLE.invokeExact(state, fd, address, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Listen {
    static final MethodHandle HANDLE = link("listen", ints(JAVA_INT, JAVA_INT));
  }

  /** listen(2). */
  public static int listen(int fd, int backlog) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Listen.HANDLE.invokeExact(state, fd, backlog), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Accept4 {
    static final MethodHandle HANDLE = link("accept4", ints(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
  }

  /** accept4(2). */
  public static int accept4(int fd, MemorySegment address, MemorySegment length, int flags) {
    refuseVirtual("accept4");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Accept4.HANDLE.invokeExact(state, fd, address, length, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Shutdown {
    static final MethodHandle HANDLE = link("shutdown", ints(JAVA_INT, JAVA_INT));
  }

  /** shutdown(2). */
  public static int shutdown(int fd, int how) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Shutdown.HANDLE.invokeExact(state, fd, how), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Send {
    static final MethodHandle HANDLE = link("send", longs(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  }

  /** send(2). */
  public static long send(int fd, MemorySegment buffer, long length, int flags) {
    refuseVirtual("send");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Send.HANDLE.invokeExact(state, fd, buffer, length, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Sendto {
    static final MethodHandle HANDLE =
        link("sendto", longs(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** sendto(2). */
  public static long sendto(
      int fd,
      MemorySegment buffer,
      long length,
      int flags,
      MemorySegment address,
      int addressLength) {
    refuseVirtual("sendto");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (long)
              Sendto.HANDLE.invokeExact(state, fd, buffer, length, flags, address, addressLength),
          state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Sendmsg {
    static final MethodHandle HANDLE = link("sendmsg", longs(JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** sendmsg(2). */
  public static long sendmsg(int fd, MemorySegment message, int flags) {
    refuseVirtual("sendmsg");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Sendmsg.HANDLE.invokeExact(state, fd, message, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Recv {
    static final MethodHandle HANDLE = link("recv", longs(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  }

  /** recv(2). */
  public static long recv(int fd, MemorySegment buffer, long length, int flags) {
    refuseVirtual("recv");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Recv.HANDLE.invokeExact(state, fd, buffer, length, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Recvfrom {
    static final MethodHandle HANDLE =
        link("recvfrom", longs(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS));
  }

  /** recvfrom(2). */
  public static long recvfrom(
      int fd,
      MemorySegment buffer,
      long length,
      int flags,
      MemorySegment address,
      MemorySegment addressLength) {
    refuseVirtual("recvfrom");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (long)
              Recvfrom.HANDLE.invokeExact(state, fd, buffer, length, flags, address, addressLength),
          state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Recvmsg {
    static final MethodHandle HANDLE = link("recvmsg", longs(JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** recvmsg(2). */
  public static long recvmsg(int fd, MemorySegment message, int flags) {
    refuseVirtual("recvmsg");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Recvmsg.HANDLE.invokeExact(state, fd, message, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Setsockopt {
    static final MethodHandle HANDLE =
        link("setsockopt", ints(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** setsockopt(2). */
  public static int setsockopt(int fd, int level, int name, MemorySegment value, int length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (int) Setsockopt.HANDLE.invokeExact(state, fd, level, name, value, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Getsockopt {
    static final MethodHandle HANDLE =
        link("getsockopt", ints(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }

  /** getsockopt(2). */
  public static int getsockopt(
      int fd, int level, int name, MemorySegment value, MemorySegment length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (int) Getsockopt.HANDLE.invokeExact(state, fd, level, name, value, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Getsockname {
    static final MethodHandle HANDLE = link("getsockname", ints(JAVA_INT, ADDRESS, ADDRESS));
  }

  /** getsockname(2). */
  public static int getsockname(int fd, MemorySegment address, MemorySegment length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Getsockname.HANDLE.invokeExact(state, fd, address, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Getpeername {
    static final MethodHandle HANDLE = link("getpeername", ints(JAVA_INT, ADDRESS, ADDRESS));
  }

  /** getpeername(2). */
  public static int getpeername(int fd, MemorySegment address, MemorySegment length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Getpeername.HANDLE.invokeExact(state, fd, address, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Open {
    static final MethodHandle HANDLE =
        link("open", ints(ADDRESS, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
  }

  /** open(2). */
  public static int open(MemorySegment path, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Open.HANDLE.invokeExact(state, path, flags, mode), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Read {
    static final MethodHandle HANDLE = link("read", longs(JAVA_INT, ADDRESS, JAVA_LONG));
  }

  /** read(2). */
  public static long read(int fd, MemorySegment buffer, long length) {
    refuseVirtual("read");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Read.HANDLE.invokeExact(state, fd, buffer, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Write {
    static final MethodHandle HANDLE = link("write", longs(JAVA_INT, ADDRESS, JAVA_LONG));
  }

  /** write(2). */
  public static long write(int fd, MemorySegment buffer, long length) {
    refuseVirtual("write");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((long) Write.HANDLE.invokeExact(state, fd, buffer, length), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Close {
    static final MethodHandle HANDLE = link("close", ints(JAVA_INT));
  }

  /** close(2). */
  public static int close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Close.HANDLE.invokeExact(state, fd), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Flock {
    static final MethodHandle HANDLE = link("flock", ints(JAVA_INT, JAVA_INT));
  }

  /** flock(2). */
  public static int flock(int fd, int operation) {
    refuseVirtual("flock");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Flock.HANDLE.invokeExact(state, fd, operation), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Ioctl {
    static final MethodHandle HANDLE =
        link("ioctl", ints(JAVA_INT, JAVA_LONG, ADDRESS), Linker.Option.firstVariadicArg(2));
  }

  /** ioctl(2) with a pointer. */
  public static int ioctl(int fd, long request, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Ioctl.HANDLE.invokeExact(state, fd, request, argument), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Fcntl {
    static final MethodHandle HANDLE =
        link("fcntl", ints(JAVA_INT, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
  }

  /** fcntl(2) with an int argument. */
  public static int fcntl(int fd, int command, int argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Fcntl.HANDLE.invokeExact(state, fd, command, argument), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Setns {
    static final MethodHandle HANDLE = link("setns", ints(JAVA_INT, JAVA_INT));
  }

  /** setns(2): moves the calling thread alone. */
  public static int setns(int fd, int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Setns.HANDLE.invokeExact(state, fd, type), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Unshare {
    static final MethodHandle HANDLE = link("unshare", ints(JAVA_INT));
  }

  /** unshare(2): moves the calling thread alone. */
  public static int unshare(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Unshare.HANDLE.invokeExact(state, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Mount {
    static final MethodHandle HANDLE =
        link("mount", ints(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  }

  /** mount(2). */
  public static int mount(
      MemorySegment source,
      MemorySegment target,
      MemorySegment type,
      long flags,
      MemorySegment data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (int) Mount.HANDLE.invokeExact(state, source, target, type, flags, data), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Umount2 {
    static final MethodHandle HANDLE = link("umount2", ints(ADDRESS, JAVA_INT));
  }

  /** umount2(2). */
  public static int umount2(MemorySegment target, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Umount2.HANDLE.invokeExact(state, target, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Poll {
    static final MethodHandle HANDLE = link("poll", ints(ADDRESS, JAVA_LONG, JAVA_INT));
  }

  /** poll(2). */
  public static int poll(MemorySegment descriptors, long count, int timeoutMillis) {
    refuseVirtual("poll");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Poll.HANDLE.invokeExact(state, descriptors, count, timeoutMillis), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class EpollCreate1 {
    static final MethodHandle HANDLE = link("epoll_create1", ints(JAVA_INT));
  }

  /** epoll_create1(2). */
  public static int epollCreate1(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) EpollCreate1.HANDLE.invokeExact(state, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class EpollCtl {
    static final MethodHandle HANDLE =
        link("epoll_ctl", ints(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  }

  /** epoll_ctl(2). */
  public static int epollCtl(int epoll, int operation, int fd, MemorySegment event) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) EpollCtl.HANDLE.invokeExact(state, epoll, operation, fd, event), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class EpollWait {
    static final MethodHandle HANDLE =
        link("epoll_wait", ints(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  }

  /** epoll_wait(2). */
  public static int epollWait(int epoll, MemorySegment events, int count, int timeoutMillis) {
    refuseVirtual("epoll_wait");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (int) EpollWait.HANDLE.invokeExact(state, epoll, events, count, timeoutMillis), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Eventfd {
    static final MethodHandle HANDLE = link("eventfd", ints(JAVA_INT, JAVA_INT));
  }

  /** eventfd(2). */
  public static int eventfd(int value, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Eventfd.HANDLE.invokeExact(state, value, flags), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class IfNametoindex {
    static final MethodHandle HANDLE = link("if_nametoindex", ints(ADDRESS));
  }

  /** if_nametoindex(3), in the calling thread's namespace; -ENODEV when there is none. */
  public static int ifNametoindex(MemorySegment name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      int index = (int) IfNametoindex.HANDLE.invokeExact(state, name);
      return index == 0 ? -(int) ERRNO.get(state, 0L) : index;
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Mmap {
    static final MethodHandle HANDLE =
        link("mmap", longs(ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  }

  /** mmap(2) of a descriptor from its begin, wherever there is room; the address. */
  public static long mmap(long length, int protection, int flags, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result(
          (long)
              Mmap.HANDLE.invokeExact(state, MemorySegment.NULL, length, protection, flags, fd, 0L),
          state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  private static final class Munmap {
    static final MethodHandle HANDLE = link("munmap", ints(ADDRESS, JAVA_LONG));
  }

  /** munmap(2); what was mapped must not be touched any more. */
  public static int munmap(MemorySegment mapped) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CAPTURE);
      return result((int) Munmap.HANDLE.invokeExact(state, mapped, mapped.byteSize()), state);
    } catch (Throwable thrown) {
      throw impossible(thrown);
    }
  }

  /** What {@link #mmap} has mapped. */
  public static MemorySegment mapped(long address, long length) {
    return MemorySegment.ofAddress(address).reinterpret(length);
  }
}

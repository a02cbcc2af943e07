package dev.sund.kernel.netlink;

import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;

/**
 * A subscription to multicast groups of a netlink family in one namespace.
 *
 * <p>{@link #open} subscribes, so that nothing that happens from then on is missed; {@link #run}
 * delivers on the calling platform thread until {@link #close}. When the receiver is too slow the
 * kernel drops messages and says so once: that becomes {@link Sink#resync}, after which the sink
 * must read the whole state again. Close from any thread.
 */
public final class NetlinkMonitor implements AutoCloseable {
  private static final int EFD_CLOEXEC = 0x80000;
  private static final short POLLIN = 1;

  /** The kernel answers within the send. */
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

  private final NetlinkChannel channel;
  private final Fd wakeUp;
  private final IntPredicate passedOver;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final Object running = new Object();

  /** Takes what the subscription delivers, on the thread of {@link #run}. */
  public interface Sink {
    /** Takes one message; {@code body} is valid during this call. */
    void message(int type, int flags, NlReader body) throws KernelException;

    /** Messages were lost, or one could not be decoded: read the whole state again. */
    void resync(String why);

    /** All that waited has been delivered. */
    default void drained() {}

    /** The socket itself failed, and nothing comes any more. */
    default void failed(String why) {
      resync(why);
    }
  }

  private NetlinkMonitor(NetlinkChannel channel, Fd wakeUp, IntPredicate passedOver) {
    this.channel = channel;
    this.wakeUp = wakeUp;
    this.passedOver = passedOver;
  }

  /**
   * Subscribes.
   *
   * @param groups group numbers (RTNLGRP_..., NFNLGRP_...), not masks
   */
  public static NetlinkMonitor open(int protocol, NetNs namespace, Buffers buffers, int... groups)
      throws KernelException {
    return open(protocol, namespace, buffers, _ -> false, groups);
  }

  /**
   * Subscribes to what others change.
   *
   * @param passedOver which messages are not delivered, by the {@link NetlinkSocket#port} of the
   *     socket that asked for the change; 0 for what nobody asked for. Asked on the delivering
   *     thread
   * @param groups group numbers (RTNLGRP_..., NFNLGRP_...), not masks
   */
  public static NetlinkMonitor open(
      int protocol, NetNs namespace, Buffers buffers, IntPredicate passedOver, int... groups)
      throws KernelException {
    NetlinkChannel channel = NetlinkChannel.open(protocol, namespace, buffers);
    try {
      for (int group : groups) {
        channel.join(group);
      }
      int number = Errno.check(Libc.eventfd(0, EFD_CLOEXEC), "open", "eventfd");
      return new NetlinkMonitor(channel, Fd.own(number, "eventfd of " + channel), passedOver);
    } catch (KernelException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Asks for something that is delivered to the asking socket alone, before {@link #run}. What
   * comes before the answer is lost.
   *
   * @param request one message
   * @return the answer
   */
  public Ack ask(NlWriter request) throws KernelException {
    synchronized (running) {
      request.number(0, 1, Netlink.NLM_F_ACK);
      channel.receiveTimeout(ANSWER_TIMEOUT);
      channel.send(request.data(), 0, request.size());
      Ack[] answer = new Ack[1];
      while (answer[0] == null) {
        int length = channel.receive(true, () -> true);
        if (!Errno.ENOBUFS.is(length)) {
          Errno.check(length, "receive from", channel.toString());
          NlReader.messages(
              channel.data(),
              length,
              (type, flags, body) -> {
                if (type == Netlink.NLMSG_ERROR) {
                  answer[0] = NetlinkSocket.readAck(body, flags);
                }
              });
        }
      }
      return answer[0];
    }
  }

  /**
   * Delivers to {@code sink} until {@link #close}, on this thread.
   *
   * @throws KernelException when the socket itself fails
   */
  public void run(Sink sink) throws KernelException {
    Libc.refuseVirtual("NetlinkMonitor.run");
    synchronized (running) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment descriptors = arena.allocate(16, 4);
        while (!closing.get()) {
          arm(descriptors, 0, channel.fd().number());
          arm(descriptors, 8, wakeUp.number());
          int ready = Libc.poll(descriptors, 2, -1);
          if (Errno.EINTR.is(ready)) {
            continue;
          }
          Errno.check(ready, "wait for", channel.toString());
          if (!closing.get() && descriptors.get(ValueLayout.JAVA_SHORT, 6) != 0) {
            if (drain(sink)) {
              sink.drained();
            }
          }
        }
      }
    }
  }

  /**
   * Waits until something has come, at most so long, and delivers nothing: for a caller that lets
   * more gather before it polls. On a platform thread; {@link #close} from another one ends it.
   *
   * @return whether something has come; false after the end too
   */
  public boolean await(Duration limit) throws KernelException {
    Libc.refuseVirtual("NetlinkMonitor.await");
    synchronized (running) {
      if (closing.get()) {
        return false;
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment descriptors = arena.allocate(16, 4);
        arm(descriptors, 0, channel.fd().number());
        arm(descriptors, 8, wakeUp.number());
        int ready = Libc.poll(descriptors, 2, Math.clamp(limit.toMillis(), 0, Integer.MAX_VALUE));
        if (Errno.EINTR.is(ready)) {
          return false;
        }
        Errno.check(ready, "wait for", channel.toString());
        return !closing.get() && descriptors.get(ValueLayout.JAVA_SHORT, 6) != 0;
      }
    }
  }

  /**
   * Delivers what has come and returns without waiting: for a caller with a loop of its own.
   *
   * @return whether anything came
   */
  public boolean poll(Sink sink) throws KernelException {
    synchronized (running) {
      if (closing.get() || !drain(sink)) {
        return false;
      }
      sink.drained();
      return true;
    }
  }

  /**
   * Starts a daemon thread that runs. It belongs to the namespace of the caller's thread, so not to
   * be called inside {@link NetNs#call}. When the socket fails, the sink is told to resync and the
   * thread ends.
   */
  public Thread start(String threadName, Sink sink) {
    return Thread.ofPlatform()
        .name(threadName)
        .daemon(true)
        .inheritInheritableThreadLocals(false)
        .start(() -> {
          try {
            run(sink);
          } catch (KernelException e) {
            sink.failed(String.valueOf(e.getMessage()));
          }
        });
  }

  /** Ends {@link #run}, waits for it to return, and closes. Not from inside the sink. */
  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      try (Arena arena = Arena.ofConfined()) {
        Libc.write(wakeUp.number(), arena.allocateFrom(ValueLayout.JAVA_LONG, 1), 8);
      }
      synchronized (running) {
        channel.close();
        wakeUp.close();
      }
    }
  }

  private boolean drain(Sink sink) throws KernelException {
    boolean any = false;
    while (!closing.get()) {
      int length = channel.receive(false, () -> !closing.get());
      if (Errno.EAGAIN.is(length)) {
        return any;
      }
      any = true;
      if (Errno.ENOBUFS.is(length)) {
        sink.resync("the kernel dropped events because too many waited");
        continue;
      }
      Errno.check(length, "receive from", channel.toString());
      try {
        NlReader.messages(channel.data(), length, passedOver, sink::message);
      } catch (KernelException.Malformed e) {
        sink.resync(String.valueOf(e.getMessage()));
      }
    }
    return any;
  }

  private static void arm(MemorySegment descriptors, long at, int fd) {
    descriptors.set(ValueLayout.JAVA_INT, at, fd);
    descriptors.set(ValueLayout.JAVA_SHORT, at + 4, POLLIN);
    descriptors.set(ValueLayout.JAVA_SHORT, at + 6, (short) 0);
  }
}

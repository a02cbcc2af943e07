package dev.sund.doctor.capture;

import dev.sund.doctor.filter.FilterSyntaxException;
import dev.sund.doctor.filter.PacketFilter;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.packet.BpfInstruction;
import dev.sund.kernel.packet.PacketRing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Takes the packets of several devices and hands them on in the order of time.
 *
 * <p>A ring shows a packet up to {@link PacketRing#RETIRE_MILLIS} ms late, so that with several of
 * them one waits a little before it is certain that nothing older comes; unless a ring fills, when
 * order is worth less than packets. {@link #run} is for one thread, {@link #stop} for any.
 */
public final class Capture implements AutoCloseable {
  private static final int TICK_MILLIS = 100;
  private static final long CERTAIN_NANOS = (2L * PacketRing.RETIRE_MILLIS + 20) * 1_000_000;

  private final List<CaptureSource> sources = new ArrayList<>();
  private final List<PacketRing> rings = new ArrayList<>();
  private boolean[] standing = {};
  private boolean[] gone = {};
  private volatile boolean stopped;
  private long taken;

  /** The clock by which packets are stamped: nanoseconds since 1970. */
  @FunctionalInterface
  public interface Clock {
    long nanos();
  }

  /**
   * How it went.
   *
   * @param taken packets that were handed on
   * @param received packets that the filters let pass
   * @param dropped of those, which found no room
   * @param gone whether it ended because all devices went down or away
   */
  public record Summary(long taken, long received, long dropped, boolean gone) {}

  /**
   * Adds a device; its packets from now on are in the capture.
   *
   * @param linkIndex the device's number in the namespace
   * @param bytes how much of each packet is wanted, above 0
   * @param memory of its ring, in bytes
   */
  public void add(
      CaptureSource source,
      NetNs namespace,
      int linkIndex,
      PacketFilter filter,
      int bytes,
      long memory)
      throws KernelException, FilterSyntaxException {
    List<BpfInstruction> program = filter.program(source.link(), bytes);
    PacketRing.Form form =
        switch (source.link()) {
          case ETHERNET -> PacketRing.Form.WITH_LINK;
          case IP -> PacketRing.Form.NETWORK;
        };
    rings.add(PacketRing.open(namespace, linkIndex, form, program, memory));
    sources.add(source);
  }

  /** The devices, in the order in which they were added. */
  public List<CaptureSource> sources() {
    return List.copyOf(sources);
  }

  /** Ends {@link #run} soon; what has come until then is handed on. */
  public void stop() {
    stopped = true;
  }

  /**
   * Hands packets on until there are enough, it is time, no device is left, or somebody stops it.
   *
   * @param most how many packets at most; empty for all
   * @param end when to end, by the clock; empty for never
   */
  public Summary run(PacketSink sink, OptionalLong most, OptionalLong end, Clock clock)
      throws IOException {
    standing = new boolean[rings.size()];
    gone = new boolean[rings.size()];
    long enough = most.orElse(Long.MAX_VALUE);
    while (!stopped && taken < enough && clock.nanos() < end.orElse(Long.MAX_VALUE) && !allGone()) {
      long left = (end.orElse(Long.MAX_VALUE) - clock.nanos()) / 1_000_000;
      boolean ready =
          isStanding() || PacketRing.await(rings, (int) Math.clamp(left, 1, TICK_MILLIS));
      long certain = rings.size() == 1 ? Long.MAX_VALUE : clock.nanos() - CERTAIN_NANOS;
      long before = taken;
      drain(sink, enough, Math.min(certain, end.orElse(Long.MAX_VALUE)));
      sink.idle();
      if (taken < enough && (isStanding() || (ready && taken == before))) {
        lookForGone();
        pause();
      }
    }
    return finish(sink, enough, end, clock);
  }

  /** Reads what is left when nothing more may come. */
  private Summary finish(PacketSink sink, long enough, OptionalLong end, Clock clock)
      throws IOException {
    for (PacketRing ring : rings) {
      ring.endIntake();
    }
    long until = clock.nanos();
    if (taken < enough) {
      // The last block of each ring is handed over when it is old enough.
      while (clock.nanos() < until + CERTAIN_NANOS) {
        pause();
      }
      drain(sink, enough, end.orElse(until));
    }
    long received = 0;
    long dropped = 0;
    for (int i = 0; i < rings.size(); i++) {
      PacketRing.Counts counts = rings.get(i).counts();
      received += counts.received();
      dropped += counts.dropped();
      sink.counted(i, counts);
    }
    sink.idle();
    return new Summary(taken, received, dropped, allGone());
  }

  private static void pause() throws IOException {
    PacketRing.await(List.of(), PacketRing.RETIRE_MILLIS / 2);
  }

  /** A pod that ends takes its devices along. */
  private void lookForGone() throws IOException {
    for (int i = 0; i < gone.length; i++) {
      gone[i] |= rings.get(i).wentDown();
    }
  }

  private boolean allGone() {
    for (boolean one : gone) {
      if (!one) {
        return false;
      }
    }
    return gone.length > 0;
  }

  private boolean isStanding() {
    for (boolean one : standing) {
      if (one) {
        return true;
      }
    }
    return false;
  }

  private void advanceAll() {
    for (int i = 0; i < standing.length; i++) {
      standing[i] = standing[i] || rings.get(i).next();
    }
  }

  /** The oldest first, up to a time; rings that stand at a packet keep it for later. */
  private void drain(PacketSink sink, long enough, long until) throws IOException {
    advanceAll();
    while (taken < enough) {
      int oldest = -1;
      long time = Long.MAX_VALUE;
      for (int i = 0; i < standing.length; i++) {
        if (standing[i]) {
          long nanos = rings.get(i).nanos();
          if (nanos < time) {
            oldest = i;
            time = nanos;
          }
        }
      }
      if (oldest < 0 || (time > until && !rings.get(oldest).isFilling())) {
        return;
      }
      sink.packet(oldest, rings.get(oldest));
      taken++;
      standing[oldest] = rings.get(oldest).next();
    }
  }

  @Override
  public void close() {
    rings.forEach(PacketRing::close);
  }
}

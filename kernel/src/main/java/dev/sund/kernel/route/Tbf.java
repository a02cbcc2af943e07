package dev.sund.kernel.route;

import dev.sund.model.Checks;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A token bucket filter: a queue that lets so many bytes a second pass (qdisc {@code tbf}).
 *
 * @param rate bytes a second
 * @param buffer the size of the bucket, as the time that it takes to fill, in ticks of the packet
 *     scheduler (64 ns each)
 * @param limit the most bytes that wait, the bucket included; what comes then is dropped
 */
public record Tbf(long rate, int buffer, int limit) {
  private static final int PARMS = 1;
  private static final int RATE64 = 4;
  private static final int PARMS_BYTES = 36;
  private static final long U32 = 0xffffffffL;
  private static final long MICROS = 1_000_000;
  private static final double TICKS_A_MICRO = 15.625;
  private static final int LATENCY_MICROS = 25_000;

  public Tbf {
    Checks.that(rate > 0, "a rate of 0 lets nothing pass");
  }

  /**
   * A filter for a rate and a burst in bits, with a queue of 25 ms: computed as the plugin {@code
   * bandwidth} does, to the tick.
   *
   * @param rateBits bits a second, at least 8
   * @param burstBits bits
   */
  public static Tbf of(long rateBits, long burstBits) {
    long rate = rateBits / 8;
    long burst = burstBits / 8;
    long micros = (long) ((double) burst * MICROS / rate) & U32;
    long ticks = (long) (micros * TICKS_A_MICRO);
    long waiting = (long) ((double) rate * LATENCY_MICROS / MICROS);
    return new Tbf(rate, (int) Math.min(ticks, U32), (int) Math.min(waiting + burst, U32));
  }

  void writeOptions(dev.sund.kernel.netlink.NlWriter out) {
    // struct tc_tbf_qopt: two rate specifications of 12 bytes, limit, buffer, mtu.
    ByteBuffer parms = ByteBuffer.allocate(PARMS_BYTES).order(ByteOrder.nativeOrder());
    parms.putInt(8, (int) Math.min(rate, U32));
    parms.putInt(24, limit);
    parms.putInt(28, buffer);
    out.bytes(PARMS, parms.array());
    if (rate > U32) {
      out.u64(RATE64, rate);
    }
  }

  static Tbf read(dev.sund.kernel.netlink.NlReader options)
      throws dev.sund.kernel.KernelException.Malformed {
    long rate = 1;
    int buffer = 0;
    int limit = 0;
    while (options.next()) {
      if (options.type() == PARMS) {
        ByteBuffer parms = ByteBuffer.wrap(options.bytes()).order(ByteOrder.nativeOrder());
        if (parms.capacity() >= PARMS_BYTES) {
          rate = Math.max(rate, Integer.toUnsignedLong(parms.getInt(8)));
          limit = parms.getInt(24);
          buffer = parms.getInt(28);
        }
      } else if (options.type() == RATE64) {
        rate = options.u64();
      }
    }
    return new Tbf(rate, buffer, limit);
  }
}

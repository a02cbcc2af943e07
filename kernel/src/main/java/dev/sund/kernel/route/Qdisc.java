package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;

/**
 * A queue of a device.
 *
 * @param device the device's ifindex
 * @param handle its own number, {@code MAJOR << 16}
 * @param parent where it hangs: {@link #ROOT}, {@link #INGRESS}, or a class
 * @param kind the kernel's word: {@code noqueue}, {@code tbf}, {@code ingress}
 * @param tbf what it does, when it is a token bucket filter
 */
public record Qdisc(int device, int handle, int parent, String kind, Optional<Tbf> tbf) {
  /** At the root: what the device sends. */
  public static final int ROOT = 0xffffffff;

  /** What the device receives. */
  public static final int INGRESS = 0xfffffff1;

  static final int TCA_KIND = 1;
  static final int TCA_OPTIONS = 2;

  /** Reads the body of RTM_NEWQDISC. */
  static Optional<Qdisc> read(NlReader in) throws Malformed {
    int device = in.skip(4).takeU32();
    int handle = in.takeU32();
    int parent = in.takeU32();
    in.skip(4);
    String kind = "";
    Optional<Tbf> tbf = Optional.empty();
    while (in.next()) {
      if (in.type() == TCA_KIND) { // the kernel writes it before the options
        kind = in.string();
      } else if (in.type() == TCA_OPTIONS && kind.equals("tbf")) {
        tbf = Optional.of(Tbf.read(in.nested()));
      }
    }
    return Optional.of(new Qdisc(device, handle, parent, kind, tbf));
  }
}

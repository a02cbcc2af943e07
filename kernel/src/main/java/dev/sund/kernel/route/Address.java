package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.util.Optional;

/**
 * An address of a device (RTM_NEWADDR). Key: device, address and length.
 *
 * @param device the ifindex
 * @param address the address and the length of its subnet
 * @param scope {@link Rtnl#SCOPE_UNIVERSE}, {@link Rtnl#SCOPE_LINK} or {@link Rtnl#SCOPE_HOST}
 * @param flags IFA_F_...; {@link #NO_DAD} and {@link #NO_PREFIX_ROUTE} may be written
 */
public record Address(int device, InterfaceAddress address, int scope, int flags)
    implements RouteRequest.Entry {
  /** Usable at once: no duplicate address detection. IPv6 alone has it. */
  public static final int NO_DAD = 0x02;

  /** The kernel makes no route to the subnet. */
  public static final int NO_PREFIX_ROUTE = 0x200;

  private static final int SECONDARY = 0x01;
  private static final int DAD_FAILED = 0x08;
  private static final int TENTATIVE = 0x40;
  private static final int PERMANENT = 0x80;
  private static final int WRITABLE = NO_DAD | NO_PREFIX_ROUTE;

  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  static final int IFA_BROADCAST = 4;
  private static final int IFA_FLAGS = 8;

  /** An address of global scope that is usable at once. */
  public static Address of(int device, InterfaceAddress address) {
    return new Address(device, address, Rtnl.SCOPE_UNIVERSE, NO_DAD);
  }

  /** As {@link #of}, without a route to its subnet. */
  public static Address alone(int device, InterfaceAddress address) {
    return new Address(device, address, Rtnl.SCOPE_UNIVERSE, NO_DAD | NO_PREFIX_ROUTE);
  }

  /** The address itself. */
  public Ip ip() {
    return address.ip();
  }

  /** Whether duplicate address detection still runs. */
  public boolean isTentative() {
    return (flags & TENTATIVE) != 0;
  }

  /** Whether duplicate address detection found another owner. */
  public boolean isDuplicate() {
    return (flags & DAD_FAILED) != 0;
  }

  /** Whether it is a further IPv4 address of its subnet, or a temporary IPv6 one. */
  public boolean isSecondary() {
    return (flags & SECONDARY) != 0;
  }

  /** Whether it has no lifetime: not learnt from a router or by DHCP. */
  public boolean isPermanent() {
    return (flags & PERMANENT) != 0;
  }

  /** Writes the body. */
  @Override
  public void write(NlWriter out) {
    out.putU8(Rtnl.number(ip().family()))
        .putU8(address.length())
        .putU8(flags & WRITABLE & 0xff)
        .putU8(scope)
        .putU32(device)
        .ip(IFA_LOCAL, ip())
        .ip(IFA_ADDRESS, ip())
        .u32(IFA_FLAGS, flags & WRITABLE);
  }

  /** Reads the body; empty for a family other than IPv4 and IPv6. */
  static Optional<Address> read(NlReader in) throws Malformed {
    int family = in.takeU8();
    int length = in.takeU8();
    int flags = in.takeU8();
    int scope = in.takeU8();
    int device = in.takeU32();
    Ip address = null;
    Ip local = null;
    while (in.next()) {
      switch (in.type()) {
        case IFA_ADDRESS -> address = in.ip();
        case IFA_LOCAL -> local = in.ip();
        case IFA_FLAGS -> flags = in.u32();
        default -> {} // label, lifetimes
      }
    }
    if (Rtnl.family(family).isEmpty()) {
      return Optional.empty();
    }
    Ip own = local != null ? local : address; // IFA_ADDRESS is the other end of a pair
    if (own == null || Rtnl.number(own.family()) != family || length > own.family().bits()) {
      throw new Malformed("address of device " + device, "it has no address of its family");
    }
    return Optional.of(new Address(device, new InterfaceAddress(own, length), scope, flags));
  }

  @Override
  public String toString() {
    return address + " dev #" + device;
  }
}

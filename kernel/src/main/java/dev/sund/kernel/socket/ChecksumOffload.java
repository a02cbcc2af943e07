package dev.sund.kernel.socket;

import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * Whether a device's packets leave the kernel without checksums, for the device or one below it to
 * fill in: what {@code ethtool -K DEVICE tx on|off} sets. In the namespace that it was opened in.
 */
public final class ChecksumOffload implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SIOCETHTOOL = 0x8946;
  private static final int ETHTOOL_GTXCSUM = 0x16;
  private static final int ETHTOOL_STXCSUM = 0x17;
  private static final int REQUEST_BYTES = 40;
  private static final int REQUEST_DATA = 16;
  private static final int VALUE_BYTES = 8;

  private final Fd socket;

  private ChecksumOffload(Fd socket) {
    this.socket = socket;
  }

  /** Opens it in a namespace. */
  public static ChecksumOffload open(NetNs namespace) throws KernelException {
    return namespace.call(() -> {
      int number = Libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      Errno.check(number, "open", "ethtool socket");
      return new ChecksumOffload(Fd.own(number, "ethtool socket"));
    });
  }

  /**
   * Whether checksums are left to the device.
   *
   * @throws KernelException.NotFound when there is no such device
   */
  public boolean isOn(String device) throws KernelException {
    return ask(device, ETHTOOL_GTXCSUM, 0) != 0;
  }

  /**
   * Leaves checksums to the device, or has the kernel make them. Segments are then cut by the
   * kernel too. Needs CAP_NET_ADMIN.
   *
   * @throws KernelException.NotFound when there is no such device
   */
  public void set(String device, boolean on) throws KernelException {
    ask(device, ETHTOOL_STXCSUM, on ? 1 : 0);
  }

  private int ask(String device, int command, int value) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(VALUE_BYTES, 8);
      data.set(ValueLayout.JAVA_INT, 0, command);
      data.set(ValueLayout.JAVA_INT, 4, value);
      MemorySegment request = arena.allocate(REQUEST_BYTES, 8);
      request.setString(0, device, StandardCharsets.US_ASCII);
      request.set(ValueLayout.ADDRESS, REQUEST_DATA, data);
      Errno.check(Libc.ioctl(socket.number(), SIOCETHTOOL, request), "ethtool", device);
      return data.get(ValueLayout.JAVA_INT, 4);
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}

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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a device's driver says of itself: its name, the lengths of its rings, its offloads. As
 * {@code ethtool -i}, {@code -g} and {@code -k} show them. Reads only, needs no right; in the
 * namespace that it was opened in. One thread at a time, of the platform's.
 */
public final class DeviceSettings implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SIOCETHTOOL = 0x8946;
  private static final int ETHTOOL_GDRVINFO = 0x3;
  private static final int ETHTOOL_GRINGPARAM = 0x10;
  private static final int ETHTOOL_GSTRINGS = 0x1b;
  private static final int ETHTOOL_GSSET_INFO = 0x37;
  private static final int ETHTOOL_GFEATURES = 0x3a;
  private static final int ETH_SS_FEATURES = 4;
  private static final int ETH_GSTRING_LEN = 32;
  private static final int REQUEST_BYTES = 40;
  private static final int REQUEST_DATA = 16;
  private static final int DRIVER_BYTES = 196;
  private static final int RING_BYTES = 36;
  private static final int FEATURE_BLOCK_BYTES = 16;

  private final Fd socket;

  private DeviceSettings(Fd socket) {
    this.socket = socket;
  }

  /**
   * A device's rings, in packets.
   *
   * @param rx packets that wait to be taken from it
   * @param rxMost as many as it could have
   * @param tx packets that wait to be sent
   * @param txMost as many as it could have
   */
  public record Rings(int rx, int rxMost, int tx, int txMost) {}

  /** Opens it in a namespace; the caller closes it. */
  public static DeviceSettings open(NetNs namespace) throws KernelException {
    return namespace.call(() -> {
      int number = Libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      Errno.check(number, "open", "ethtool socket");
      return new DeviceSettings(Fd.own(number, "ethtool socket"));
    });
  }

  /** The driver's name; empty for a device that has none. */
  public Optional<String> driver(String device) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(DRIVER_BYTES, 8);
      return ask(device, ETHTOOL_GDRVINFO, data, arena)
          ? Optional.of(data.getString(4, StandardCharsets.US_ASCII))
          : Optional.empty();
    }
  }

  /** The rings; empty for a device that has none. */
  public Optional<Rings> rings(String device) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(RING_BYTES, 8);
      if (!ask(device, ETHTOOL_GRINGPARAM, data, arena)) {
        return Optional.empty();
      }
      // struct ethtool_ringparam: four most values (rx, mini, jumbo, tx), then four as they are
      return Optional.of(
          new Rings(
              data.getAtIndex(ValueLayout.JAVA_INT, 5),
              data.getAtIndex(ValueLayout.JAVA_INT, 1),
              data.getAtIndex(ValueLayout.JAVA_INT, 8),
              data.getAtIndex(ValueLayout.JAVA_INT, 4)));
    }
  }

  /** Which offloads are on, by the kernel's names such as {@code tx-udp_tnl-segmentation}. */
  public Map<String, Boolean> features(String device) throws KernelException {
    Map<String, Boolean> features = new TreeMap<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(24, 8);
      count.set(ValueLayout.JAVA_LONG, 8, 1L << ETH_SS_FEATURES);
      if (!ask(device, ETHTOOL_GSSET_INFO, count, arena)) {
        return features;
      }
      int names = count.get(ValueLayout.JAVA_INT, 16);
      MemorySegment strings = arena.allocate(12 + (long) names * ETH_GSTRING_LEN, 8);
      strings.set(ValueLayout.JAVA_INT, 4, ETH_SS_FEATURES);
      strings.set(ValueLayout.JAVA_INT, 8, names);
      int blocks = (names + 31) / 32;
      MemorySegment bits = arena.allocate(8 + (long) blocks * FEATURE_BLOCK_BYTES, 8);
      bits.set(ValueLayout.JAVA_INT, 4, blocks);
      if (!ask(device, ETHTOOL_GSTRINGS, strings, arena)
          || !ask(device, ETHTOOL_GFEATURES, bits, arena)) {
        return features;
      }
      for (int i = 0; i < names; i++) {
        String name = strings.getString(12 + (long) i * ETH_GSTRING_LEN, StandardCharsets.US_ASCII);
        // struct ethtool_get_features_block: available, requested, active, never_changed
        int active = bits.get(ValueLayout.JAVA_INT, 8 + (long) (i / 32) * FEATURE_BLOCK_BYTES + 8);
        if (!name.isEmpty()) {
          features.put(name, (active & (1 << (i % 32))) != 0);
        }
      }
    }
    return features;
  }

  /** Asks; false when the device's driver has no such thing. */
  private boolean ask(String device, int command, MemorySegment data, Arena arena)
      throws KernelException {
    data.set(ValueLayout.JAVA_INT, 0, command);
    MemorySegment request = arena.allocate(REQUEST_BYTES, 8);
    request.setString(0, device, StandardCharsets.UTF_8);
    request.set(ValueLayout.ADDRESS, REQUEST_DATA, data);
    int result = Libc.ioctl(socket.number(), SIOCETHTOOL, request);
    if (Errno.EOPNOTSUPP.is(result)) {
      return false;
    }
    Errno.check(result, "ethtool", device);
    return true;
  }

  @Override
  public void close() {
    socket.close();
  }
}

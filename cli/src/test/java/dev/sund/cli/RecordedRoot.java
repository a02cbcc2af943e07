package dev.sund.cli;

import dev.sund.doctor.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A recorded node in a folder, made of a few files. */
record RecordedRoot(Path root) {
  /** One whose window is over. */
  static RecordedRoot of(Path root) throws IOException {
    return new RecordedRoot(root).write(Host.WINDOW, "1.0");
  }

  /** A file of it, with the folders above. */
  RecordedRoot write(String path, String text) throws IOException {
    Files.createDirectories(root.resolve(path).getParent());
    Files.writeString(root.resolve(path), text);
    return this;
  }

  /** Forwards nothing, and has a tunnel that is as wide as the device below it. */
  RecordedRoot withTunnelTooWide() throws IOException {
    return write("proc/sys/net/ipv4/ip_forward", "0")
        .write(
            "proc/net/route", "Iface Destination\neth0\t00000000\t0100A8C0\t3\t0\t0\t0\t00000000")
        .write("sys/class/net/eth0/mtu", "1500")
        .write("sys/class/net/flannel.1/mtu", "1500")
        .write("sys/class/net/flannel.1/uevent", "DEVTYPE=vxlan");
  }
}

package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A pod's own process, with a resolv.conf as the kubelet makes it. */
final class PodProcess {
  private PodProcess() {}

  /** One that sleeps in a network, and is there when this returns; the caller ends it. */
  static Process start(NetNs network, Path resolv) throws Exception {
    Process process =
        new ProcessBuilder(
                "unshare",
                "--mount",
                "sh",
                "-c",
                "touch /etc/resolv.conf; mount --bind \"$1\" /etc/resolv.conf && exec nsenter"
                    + " --net=\"$2\" sleep 600",
                "sh",
                resolv.toString(),
                network.path().toString())
            .start();
    NetNs its = NetNs.at(Path.of("/proc/" + process.pid() + "/ns/net"));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!its.inode().equals(network.inode())) {
      assertThat(process.isAlive() && System.nanoTime() < end).as("the pod's process").isTrue();
      Thread.sleep(20);
    }
    return process;
  }
}

package dev.sund.doctor.report;

import dev.sund.doctor.WholeFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Files by which a node's network is configured, and what its kernel is. */
public final class Configuration {
  private static final String FOLDER = "config";
  private static final long MOST = 512L << 10;
  private static final int DEPTH = 4;

  /** A folder, and which files below it. */
  private record Place(String folder, String files) {}

  private static final List<Place> PLACES =
      List.of(
          new Place("etc/cni", "**"),
          new Place("etc/rancher", "**.{yaml,yml,env}"),
          new Place("etc/kubernetes", "**.{conf,yaml,yml}"),
          new Place("var/lib/rancher/k3s/agent/etc", "**"),
          new Place("var/lib/rancher/k3s/agent", "*.kubeconfig"),
          new Place(
              "var/lib/kubelet", "{config.yaml,kubeconfig,kubeadm-flags.env,instance-config.yaml}"),
          new Place("var/lib/kube-proxy", "**.{conf,yaml,kubeconfig}"),
          new Place("etc/systemd/system/kubelet.service.d", "*.conf"),
          new Place("etc/systemd/network", "**"),
          new Place("etc/systemd", "networkd.conf"),
          new Place("etc/systemd/networkd.conf.d", "*.conf"),
          new Place("run/systemd/network", "**"),
          new Place("etc/default", "{kubelet,k3s,kube-proxy}"),
          new Place("etc/containerd", "**.toml"),
          new Place("etc/crio", "**.conf"),
          new Place("etc/containers", "**.conf"),
          new Place("etc/docker", "daemon.json"),
          new Place("etc/sysctl.d", "*.conf"),
          new Place("usr/lib/sysctl.d", "*.conf"),
          new Place("etc/modules-load.d", "*.conf"),
          new Place("etc/modprobe.d", "*.conf"),
          new Place("etc/NetworkManager", "**.{conf,nmconnection}"),
          new Place("etc/netplan", "*.yaml"),
          new Place("etc/network", "**"),
          new Place("etc/wireguard", "*.conf"),
          new Place("etc/frr", "{*.conf,daemons}"),
          new Place("etc/bird", "**.conf"),
          new Place("etc/calico", "**"),
          new Place("etc/sund", "**"),
          new Place("etc/nftables.d", "**"),
          new Place("run/flannel", "*"),
          new Place(
              "etc", "{sysctl.conf,modules,resolv.conf,hosts,os-release,nftables.conf,bird.conf}"),
          new Place("proc", "{version,modules,cmdline}"));

  private Configuration() {}

  /** Adds them all; what cannot be read is noted. */
  public static void add(Path root, Report report) {
    for (Place place : PLACES) {
      Path folder = root.resolve(place.folder());
      if (!Files.isDirectory(folder)) {
        continue;
      }
      PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + place.files());
      int depth = place.files().startsWith("**") ? DEPTH : 1;
      List<Path> files;
      try (Stream<Path> all = Files.walk(folder, depth)) {
        files =
            all.filter(file -> matcher.matches(folder.relativize(file)))
                .filter(Files::isRegularFile)
                .sorted()
                .toList();
      } catch (IOException | java.io.UncheckedIOException e) {
        report.note("/" + place.folder() + ": " + e.getMessage());
        continue;
      }
      files.forEach(file -> add(root, file, report));
    }
    addKernel(root, report);
  }

  private static void add(Path root, Path file, Report report) {
    String path = root.relativize(file).toString();
    try {
      if (Files.size(file) > MOST) {
        report.note("/" + path + ": left out, it is larger than " + (MOST >> 10) + " KiB");
        return;
      }
      String text = WholeFile.text(file);
      if (text.indexOf('\0') >= 0 && !path.startsWith("proc/")) {
        report.note("/" + path + ": left out, it is no text");
      } else {
        report.addFile(FOLDER, path, text);
      }
    } catch (IOException e) {
      report.note("/" + path + ": " + e.getClass().getSimpleName() + " " + e.getMessage());
    }
  }

  /** How the kernel was built. */
  private static void addKernel(Path root, Report report) {
    try {
      String release = WholeFile.text(root.resolve("proc/sys/kernel/osrelease")).strip();
      Path file = root.resolve("boot/config-" + release);
      Path running = root.resolve("proc/config.gz");
      if (Files.isReadable(file)) {
        report.add(FOLDER + "/boot/config-" + release, WholeFile.text(file));
      } else if (Files.isReadable(running)) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(running))) {
          report.add(
              FOLDER + "/proc/config", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
      } else {
        report.note("how the kernel was built: neither in /boot nor in /proc/config.gz");
      }
    } catch (IOException e) {
      report.note("the kernel's configuration: " + e.getMessage());
    }
  }
}

package dev.sund.doctor.disk;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a node's etcd writes its log.
 *
 * @param path without the leading slash, below the node's root
 * @param how it was found, for people
 */
public record EtcdFolder(String path, String how) {
  private static final String MANIFEST = "etc/kubernetes/manifests/etcd.yaml";
  private static final Pattern DATA = Pattern.compile("--(wal|data)-dir=[\"']?(/[^\\s\"']{1,255})");

  /** Where programs that bring an etcd, or what stands for it, have it unless they are told. */
  private static final List<String> USUAL =
      List.of(
          "var/lib/rancher/k3s/server/db/etcd",
          "var/lib/rancher/rke2/server/db/etcd",
          "var/lib/rancher/k3s/server/db", // k3s without etcd writes SQLite's file there
          "var/lib/k0s/etcd",
          "var/snap/microk8s/current/var/kubernetes/backend",
          "var/lib/etcd");

  /** That of this node: by its process, by its static pod, by the usual places. */
  public static Optional<EtcdFolder> of(Host host) throws UnreadException {
    for (String entry : host.names("proc")) {
      if (Character.isDigit(entry.charAt(0))
          && host.textIfThere("proc/" + entry + "/comm").filter("etcd"::equals).isPresent()) {
        return Optional.of(ofProcess(host, entry));
      }
    }
    Optional<String> manifest = host.textIfThere(MANIFEST);
    if (manifest.isPresent()) {
      Optional<String> told = told(manifest.get());
      if (told.isPresent()) {
        return Optional.of(new EtcdFolder(told.get().substring(1), "/" + MANIFEST));
      }
    }
    return USUAL.stream()
        .filter(host::has)
        .findFirst()
        .map(path -> new EtcdFolder(path, "its usual place"));
  }

  /** The paths of a process are those of its container. */
  private static EtcdFolder ofProcess(Host host, String number) throws UnreadException {
    String process = "proc/" + number;
    String words =
        host.textIfThere(process + "/cmdline").orElse("").replaceAll("(-dir)\0", "$1=")
            + "\0"
            + host.textIfThere(process + "/environ")
                .orElse("")
                .replace("ETCD_WAL_DIR=", "--wal-dir=")
                .replace("ETCD_DATA_DIR=", "--data-dir=");
    String how = "process " + number;
    return told(words.replace('\0', '\n'))
        .map(path -> new EtcdFolder(process + "/root" + path, how))
        .orElseGet(() -> new EtcdFolder(process + "/cwd", how)); // default.etcd is made there
  }

  /** What options say: the log's own folder before that of all data. */
  private static Optional<String> told(String text) {
    Optional<String> data = Optional.empty();
    Matcher option = DATA.matcher(text);
    while (option.find()) {
      if (option.group(1).equals("wal")) {
        return Optional.of(option.group(2));
      }
      data = data.isPresent() ? data : Optional.of(option.group(2));
    }
    return data;
  }
}

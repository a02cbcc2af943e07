package dev.sund.it.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A machine with another kernel for the tests tagged {@code guest}: Debian's own kernel under QEMU,
 * emulated (no /dev/kvm is needed), with the host's files as its root, so that the JDK, the test
 * classes, {@code ip} and {@code nft} are simply there. A worker runs in it as in any other tier;
 * its orders and answers go over a serial line, which is QEMU's standard input and output.
 *
 * <p>Kernel and first programs are made once and kept in a folder; {@link #prepare} finds them
 * there. Whoever deletes the folder gets the newest kernel of the distribution.
 */
final class Guest {
  /** What the guest is for: loaded at its start. */
  private static final List<String> LOADED = List.of("ipip", "ip6_tunnel", "sit", "vxlan", "dummy");

  /** Modules without which the guest does not see the host's files. */
  private static final List<String> FIRST = List.of("virtio_pci", "9p", "9pnet_virtio", "overlay");

  /** Parts of the kernel's package that are kept: the rest is drivers of real hardware. */
  private static final List<String> KEPT =
      List.of(
          "net",
          "fs",
          "lib",
          "crypto",
          "arch",
          "drivers/virtio",
          "drivers/net/*.ko",
          "drivers/net/vxlan",
          "drivers/net/wireguard",
          "drivers/net/ipvlan",
          "drivers/net/bonding",
          "drivers/net/vmxnet3",
          "drivers/block/null_blk");

  private static final byte[] XZ = {(byte) 0xFD, '7', 'z', 'X', 'Z', 0};
  private static final int MINUTES = 5;

  private final Path cache;
  private final Path share;

  /**
   * A guest.
   *
   * @param cache where its kernel is kept, from run to run
   * @param share the folder of the host that it may write to
   */
  Guest(Path cache, Path share) {
    this.cache = cache;
    this.share = share;
  }

  /**
   * Installs and unpacks what is missing.
   *
   * @return why there is no guest on this machine, or nothing when there is
   */
  Optional<String> prepare(PrintWriter out) throws IOException, InterruptedException {
    if (!System.getProperty("os.arch").equals("amd64")) {
      return Optional.of("the guest runs the host's own programs, and only amd64 is prepared");
    }
    Files.createDirectories(cache);
    Files.createDirectories(share);
    Packages packages = new Packages(share.resolve("apt.log"), out);
    String why = "tests of kernel features that this machine's kernel may lack, in an emulator";
    Optional<String> failed =
        packages
            .need("qemu-system-x86_64", "qemu-system-x86", why)
            .need("busybox", "busybox-static", why)
            .need("depmod", "kmod", why)
            .need("xz", "xz-utils", why)
            .need("ipvsadm", "ipvsadm", "kube-proxy's rules of mode ipvs, in the emulator")
            .install();
    if (failed.isPresent() || isReady()) {
      return failed;
    }
    return unpack(packages, out);
  }

  /** Whether all that is kept is there, and not what an earlier version kept. */
  private boolean isReady() throws IOException {
    Path ready = cache.resolve("ready");
    return Files.exists(ready) && Files.readAllLines(ready).contains(kept());
  }

  private static String kept() {
    return String.join(" ", KEPT);
  }

  private Optional<String> unpack(Packages packages, PrintWriter out)
      throws IOException, InterruptedException {
    Optional<String> found = kernelPackage();
    if (found.isEmpty()) {
      return Optional.of("no package linux-image-amd64 is known to apt");
    }
    String name = found.get();
    out.println("fetching the guest's kernel, once: " + name);
    out.flush();
    Path fetched = Files.createTempDirectory(cache, "fetched");
    try {
      if (!packages.aptGet(fetched, List.of("download", name))
          && !(packages.aptGet(fetched, List.of("update"))
              && packages.aptGet(fetched, List.of("download", name)))) {
        return Optional.of("apt-get could not download " + name + " (see " + share + "/apt.log)");
      }
      String version = name.substring("linux-image-".length());
      Path archive;
      try (Stream<Path> files = Files.list(fetched)) {
        archive = files.findFirst().orElseThrow();
      }
      extract(archive, version);
      decompress(cache.resolve("boot/vmlinuz-" + version), cache.resolve("vmlinux"));
      Files.deleteIfExists(cache.resolve("boot/vmlinuz-" + version));
      run(cache, "depmod", "-b", cache.toString(), version);
      firstFiles(version);
      Files.writeString(cache.resolve("ready"), version + "\n" + kept() + "\n");
      return Optional.empty();
    } finally {
      delete(fetched);
    }
  }

  /** The package that {@code linux-image-amd64} stands for. */
  private Optional<String> kernelPackage() throws IOException, InterruptedException {
    return run(cache, "apt-cache", "depends", "linux-image-amd64")
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("Depends: linux-image-"))
        .map(line -> line.substring("Depends: ".length()))
        .findFirst();
  }

  private void extract(Path archive, String version) throws IOException, InterruptedException {
    String modules = "./lib/modules/" + version + "/kernel/";
    String wanted =
        KEPT.stream().map(part -> "'" + modules + part + "'").collect(Collectors.joining(" "));
    run(
        cache,
        "sh",
        "-c",
        ("dpkg-deb --fsys-tarfile '%s' | tar -x --wildcards --no-wildcards-match-slash"
                + " './boot/vmlinuz-*' './boot/config-*' './lib/modules/%s/modules.*' %s")
            .formatted(archive, version, wanted));
    // How it was built is looked for beside the modules, too; /boot is the host's in the guest.
    Files.move(
        cache.resolve("boot/config-" + version),
        cache.resolve("lib/modules").resolve(version).resolve("config"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** Cuts the xz stream out of a bzImage; QEMU starts what is in it in half the time. */
  private void decompress(Path image, Path kernel) throws IOException, InterruptedException {
    byte[] bytes = Files.readAllBytes(image);
    int at = 0;
    while (!startsWith(bytes, at)) {
      at++;
      if (at + XZ.length > bytes.length) {
        throw new IOException(image + " holds no xz stream");
      }
    }
    Process xz =
        new ProcessBuilder("xz", "-dc", "--single-stream")
            .redirectOutput(kernel.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (OutputStream input = xz.getOutputStream()) {
      input.write(bytes, at, bytes.length - at);
    } catch (IOException streamEnded) {
      // It stops reading where its stream ends; what follows is the image's own.
    }
    if (!xz.waitFor(MINUTES, TimeUnit.MINUTES) || Files.size(kernel) < bytes.length) {
      xz.destroyForcibly();
      throw new IOException("could not decompress " + image);
    }
  }

  private static boolean startsWith(byte[] bytes, int at) {
    for (int i = 0; i < XZ.length; i++) {
      if (bytes[at + i] != XZ[i]) {
        return false;
      }
    }
    return true;
  }

  /** The archive that the kernel unpacks into memory: busybox, some modules, the first program. */
  private void firstFiles(String version) throws IOException, InterruptedException {
    Path tree = Files.createTempDirectory(cache, "tree");
    try {
      Files.createDirectories(tree.resolve("bin"));
      Files.createDirectories(tree.resolve("modules"));
      Files.copy(Path.of("/bin/busybox"), tree.resolve("bin/busybox"));
      Set<String> order = new LinkedHashSet<>();
      for (String module : FIRST) {
        String shown =
            run(cache, "modprobe", "-d", cache.toString(), "-S", version, "--show-depends", module);
        for (String line : shown.lines().filter(line -> line.startsWith("insmod ")).toList()) {
          Path file = Path.of(line.substring("insmod ".length()).strip());
          if (order.add(file.getFileName().toString())) {
            Files.copy(file, tree.resolve("modules").resolve(file.getFileName()));
          }
        }
      }
      Files.write(tree.resolve("modules/order"), order);
      resource("guest-init.sh", tree.resolve("init"));
      if (!tree.resolve("init").toFile().setExecutable(true)) {
        throw new IOException("cannot make " + tree + "/init executable");
      }
      run(
          tree,
          "sh",
          "-c",
          "find . | busybox cpio -o -H newc > '%s'".formatted(cache.resolve("initrd")));
    } finally {
      delete(tree);
    }
  }

  /**
   * The command that boots the guest, which then runs another command.
   *
   * @param inside what to run in the guest, with its arguments
   * @return to be started with pipes as its standard input and output
   */
  List<String> command(List<String> inside) throws IOException {
    Files.deleteIfExists(share.resolve("exit"));
    String version = Files.readAllLines(cache.resolve("ready")).getFirst();
    resource("guest-run.sh", share.resolve("guest-run.sh"));
    Files.writeString(
        share.resolve("guest.env"),
        "export SUND_BUILD=never%nSUND_GUEST_MODULES='%s'%nSUND_GUEST_LOAD='%s'%n"
            .formatted(cache.resolve("lib/modules").resolve(version), String.join(" ", LOADED)));
    Files.writeString(
        share.resolve("command.sh"),
        "exec "
            + inside.stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "))
            + "\n");
    List<String> command = new ArrayList<>();
    command.addAll(List.of("timeout", "-k", "10", Integer.toString(60 * 40), "qemu-system-x86_64"));
    command.addAll(List.of("-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"));
    command.addAll(List.of("-m", "1536", "-nodefaults", "-no-user-config", "-display", "none"));
    command.addAll(List.of("-no-reboot", "-kernel", cache.resolve("vmlinux").toString()));
    command.addAll(List.of("-initrd", cache.resolve("initrd").toString()));
    command.addAll(
        List.of(
            "-append",
            "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable sund.out=" + share));
    command.addAll(List.of("-serial", "file:" + share.resolve("console.log")));
    command.addAll(List.of("-serial", "stdio"));
    command.addAll(
        List.of(
            "-fsdev",
            "local,id=r,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device",
            "virtio-9p-pci,fsdev=r,mount_tag=root",
            "-fsdev",
            "local,id=o,path=" + share + ",security_model=none",
            "-device",
            "virtio-9p-pci,fsdev=o,mount_tag=out"));
    // VMware's network card, joined to nobody; a test that wants it loads its driver.
    command.addAll(List.of("-netdev", "hubport,id=h,hubid=0", "-device", "vmxnet3,netdev=h"));
    return command;
  }

  /** How the command in the guest ended; empty when the guest died before it did. */
  Optional<Integer> exitCode() throws IOException {
    Path exit = share.resolve("exit");
    return Files.exists(exit)
        ? Optional.of(Integer.parseInt(Files.readString(exit).strip()))
        : Optional.empty();
  }

  private static void resource(String name, Path to) throws IOException {
    try (InputStream text = Guest.class.getResourceAsStream(name)) {
      if (text == null) {
        throw new IOException(name + " is not among the runner's classes");
      }
      Files.copy(text, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Runs a program that is to succeed; what it printed. */
  private static String run(Path folder, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + " failed: " + printed.strip());
    }
    return printed;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

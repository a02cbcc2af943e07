package dev.sund.it.cni;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A container image of a static busybox, in the form that {@code podman load} and {@code ctr images
 * import} take. It sleeps unless told otherwise, so it also serves as a pod's sandbox.
 */
final class BusyboxImage {
  static final String NAME = "sund.test/busybox:1";

  private static final List<String> PROGRAMS =
      List.of("sh", "sleep", "ip", "nc", "cat", "echo", "ping", "wget", "true");
  private static final Path BUSYBOX = Path.of("/bin/busybox");

  private BusyboxImage() {}

  /** Writes the image's archive. */
  static Path write(Path file) throws IOException {
    Tar layer = new Tar();
    layer.folder("bin");
    for (String name : List.of("proc", "sys", "dev", "etc", "tmp", "run")) {
      layer.folder(name);
    }
    layer.file("bin/busybox", Files.readAllBytes(BUSYBOX), 0755);
    for (String program : PROGRAMS) {
      layer.link("bin/" + program, "busybox");
    }
    byte[] layerTar = layer.end();
    String architecture =
        Map.of("aarch64", "arm64").getOrDefault(System.getProperty("os.arch"), "amd64");
    String config =
        """
        {"architecture":"%s","os":"linux",
         "config":{"Env":["PATH=/bin"],"Cmd":["/bin/sleep","1000"]},
         "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}
        """
            .formatted(architecture, sha256(layerTar));
    Tar image = new Tar();
    image.file("config.json", config.getBytes(StandardCharsets.UTF_8), 0644);
    image.file("layer.tar", layerTar, 0644);
    image.file(
        "manifest.json",
        "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"layer.tar\"]}]"
            .formatted(NAME)
            .getBytes(StandardCharsets.UTF_8),
        0644);
    return Files.write(file, image.end());
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** POSIX ustar, as far as an image needs it. */
  private static final class Tar {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void folder(String name) throws IOException {
      entry(name + "/", new byte[0], 0755, '5', "");
    }

    void file(String name, byte[] content, int mode) throws IOException {
      entry(name, content, mode, '0', "");
    }

    void link(String name, String target) throws IOException {
      entry(name, new byte[0], 0777, '2', target);
    }

    byte[] end() throws IOException {
      out.write(new byte[1024]);
      return out.toByteArray();
    }

    private void entry(String name, byte[] content, int mode, char type, String target)
        throws IOException {
      byte[] head = new byte[512];
      put(head, 0, name);
      put(head, 100, "%07o".formatted(mode));
      put(head, 108, "0000000");
      put(head, 116, "0000000");
      put(head, 124, "%011o".formatted(content.length));
      put(head, 136, "00000000000");
      put(head, 148, "        ");
      head[156] = (byte) type;
      put(head, 157, target);
      put(head, 257, "ustar");
      put(head, 263, "00");
      int sum = 0;
      for (byte one : head) {
        sum += one & 0xff;
      }
      put(head, 148, "%06o\0 ".formatted(sum));
      out.write(head);
      out.write(content);
      out.write(new byte[(512 - content.length % 512) % 512]);
    }

    private static void put(byte[] head, int at, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(bytes, 0, head, at, bytes.length);
    }
  }
}

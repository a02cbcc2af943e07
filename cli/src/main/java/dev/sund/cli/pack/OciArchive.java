package dev.sund.cli.pack;

import dev.sund.cli.pack.TargetJdk.Architecture;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/**
 * A container image of one layer in the OCI image layout (OCI image specification 1.0, {@code
 * image-layout.md}): a {@link Distribution} in {@code /opt/sund} and the C library that its run
 * time needs. No shell, no package manager. {@code ctr image import} and {@code podman load} take
 * it.
 */
public final class OciArchive {
  private static final Pattern LIBRARY = Pattern.compile("(?:=> )?(/\\S+) \\(0x[0-9a-f]+\\)");

  private final Path work;
  private final Sysroot sysroot;
  private final Architecture architecture;
  private final Path blobs;

  private OciArchive(Path work, Sysroot sysroot) throws IOException {
    this.work = work;
    this.sysroot = sysroot;
    this.architecture = sysroot.architecture();
    this.blobs = Files.createDirectories(work.resolve("layout/blobs/sha256"));
  }

  private record Blob(String digest, long size) {
    String descriptor(String mediaType, String more) {
      return "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%d%s}"
          .formatted(mediaType, digest, size, more);
    }
  }

  /**
   * Packs a staged distribution as an image.
   *
   * @param staged the folder; it is moved into the image's root
   * @param sysroot where the C library is, of the same kind of machine as the JDK
   * @param work an empty folder on the same file system
   * @param reference the image's name and tag, such as {@code sund.dev/sund:0.1.0}
   * @param output the archive; replaced when it exists
   */
  public static void pack(
      Path staged,
      TargetJdk jdk,
      Sysroot sysroot,
      Path work,
      String reference,
      String created,
      Path output)
      throws IOException, InterruptedException {
    OciArchive archive = new OciArchive(work, sysroot);
    Path root = archive.root(staged, jdk);
    Path layer = work.resolve("layer.tar");
    archive.tar(layer, root, List.of("."));
    String unpacked = sha256(layer);
    Path compressed = work.resolve("layer.tar.gz");
    try (InputStream in = Files.newInputStream(layer);
        OutputStream out = new GZIPOutputStream(Files.newOutputStream(compressed))) {
      in.transferTo(out);
    }
    Files.delete(layer);
    Blob layerBlob = archive.blob(compressed);
    Blob config = archive.blob(archive.config(unpacked, created, reference));
    Blob manifest =
        archive.blob(
            "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                + "\"config\":"
                + config.descriptor("application/vnd.oci.image.config.v1+json", "")
                + ",\"layers\":["
                + layerBlob.descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "")
                + "]}");
    Path layout = work.resolve("layout");
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}\n");
    Files.writeString(
        layout.resolve("index.json"),
        "{\"schemaVersion\":2,\"manifests\":["
            + manifest.descriptor(
                "application/vnd.oci.image.manifest.v1+json",
                (",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"},\"annotations\":{"
                        + "\"io.containerd.image.name\":\"%s\","
                        + "\"org.opencontainers.image.ref.name\":\"%s\"}")
                    .formatted(
                        jdk.architecture().label(),
                        reference,
                        reference.substring(reference.lastIndexOf(':') + 1)))
            + "]}\n");
    archive.tar(output, layout, List.of("oci-layout", "index.json", "blobs"));
  }

  /** The image's file system. */
  private Path root(Path staged, TargetJdk jdk) throws IOException, InterruptedException {
    Path root = Files.createDirectory(work.resolve("root"));
    for (Map.Entry<Path, Path> library : libraries(staged, jdk).entrySet()) {
      Path to = root.resolve(library.getKey().toString().substring(1));
      Files.createDirectories(to.getParent());
      Files.copy(library.getValue().toRealPath(), to, StandardCopyOption.COPY_ATTRIBUTES);
    }
    for (String folder : List.of("etc", "proc", "sys", "dev", "run", "tmp", "var/lib", "opt")) {
      Files.createDirectories(root.resolve(folder));
    }
    Files.writeString(root.resolve("etc/passwd"), "root:x:0:0:root:/:/sbin/nologin\n");
    Files.writeString(root.resolve("etc/group"), "root:x:0:\n");
    // Names are looked up in the file first, as everywhere.
    Files.writeString(root.resolve("etc/nsswitch.conf"), "hosts: files dns\n");
    Files.move(staged, root.resolve("opt/sund"));
    return root;
  }

  /** Where in the image, and from where: the shared libraries that the run time needs. */
  private Map<Path, Path> libraries(Path staged, TargetJdk jdk)
      throws IOException, InterruptedException {
    Map<Path, Path> found = new TreeMap<>();
    if (jdk.runsHere() && sysroot.ofThisMachine()) {
      List<String> command = new ArrayList<>(List.of("ldd"));
      command.add(staged.resolve("runtime/bin/java").toString());
      try (Stream<Path> files = Files.walk(staged.resolve("runtime/lib"))) {
        files
            .filter(file -> file.toString().endsWith(".so"))
            .map(Path::toString)
            .sorted()
            .forEach(command::add);
      }
      Matcher matcher = LIBRARY.matcher(Programs.run(command));
      while (matcher.find()) {
        Path library = Path.of(matcher.group(1));
        if (!library.startsWith(staged)) {
          found.put(library, library);
        }
      }
      return found;
    }
    return sysroot.libraries(staged);
  }

  private String config(String layerDigest, String created, String reference) {
    return ("{\"created\":\"%s\",\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{"
            + "\"Env\":[\"PATH=/opt/sund/bin\"],\"Entrypoint\":[\"/opt/sund/bin/sund\"],"
            + "\"Cmd\":[\"agent\"],\"WorkingDir\":\"/\",\"Labels\":{"
            + "\"org.opencontainers.image.title\":\"Sund\","
            + "\"org.opencontainers.image.licenses\":\"Apache-2.0\","
            + "\"org.opencontainers.image.version\":\"%s\"}},"
            + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]},"
            + "\"history\":[{\"created\":\"%s\",\"created_by\":\"sund image\"}]}")
        .formatted(
            created,
            architecture.label(),
            reference.substring(reference.lastIndexOf(':') + 1),
            layerDigest,
            created);
  }

  private void tar(Path output, Path folder, List<String> names)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "tar",
                "--sort=name",
                "--owner=0",
                "--group=0",
                "--numeric-owner",
                "--create",
                "--file",
                output.toAbsolutePath().toString(),
                "--directory",
                folder.toString()));
    command.addAll(names);
    Programs.run(command);
  }

  private Blob blob(String text) throws IOException {
    Path file = Files.writeString(work.resolve("blob"), text, StandardCharsets.UTF_8);
    return blob(file);
  }

  /** Moves a file to where its digest says. */
  private Blob blob(Path file) throws IOException {
    Blob blob = new Blob(sha256(file), Files.size(file));
    Files.move(file, blobs.resolve(blob.digest()), StandardCopyOption.REPLACE_EXISTING);
    return blob;
  }

  private static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}

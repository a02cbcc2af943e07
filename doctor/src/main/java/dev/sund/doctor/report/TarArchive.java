package dev.sund.doctor.report;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/**
 * A compressed archive of files and folders, as tar reads and writes it: POSIX.1-2001 (pax) for
 * names that are long or not ASCII, else the older headers. The JDK has none.
 */
public final class TarArchive implements AutoCloseable {
  private static final int BLOCK = 512;
  private static final int NAME = 100;

  /** More than a node's texts can be; what is larger is no report. */
  private static final long MOST = 256L << 20;

  private final OutputStream out;
  private final long time;

  /**
   * Writes one.
   *
   * @param to closed with it
   * @param time of all that is in it
   */
  public TarArchive(OutputStream to, Instant time) throws IOException {
    this.out = new GZIPOutputStream(to);
    this.time = time.getEpochSecond();
  }

  /** Adds a file, for its owner alone. */
  public void file(String name, byte[] bytes) throws IOException {
    entry(name, '0', "0000600", bytes);
  }

  /** Adds a folder. */
  public void folder(String name) throws IOException {
    entry(name + "/", '5', "0000700", new byte[0]);
  }

  private void entry(String name, char type, String mode, byte[] bytes) throws IOException {
    byte[] written = name.getBytes(StandardCharsets.UTF_8);
    if (written.length > NAME || written.length != name.length()) {
      byte[] record = pax("path", name);
      header("pax", 'x', "0000600", record.length);
      content(record);
    }
    header(written.length > NAME ? name.substring(0, 50) : name, type, mode, bytes.length);
    content(bytes);
  }

  /** {@code LENGTH KEY=VALUE LF}, where the length counts itself. */
  private static byte[] pax(String key, String value) {
    byte[] rest = (" " + key + "=" + value + "\n").getBytes(StandardCharsets.UTF_8);
    int length = rest.length;
    while (String.valueOf(length).length() + rest.length != length) {
      length = String.valueOf(length).length() + rest.length;
    }
    return (length + new String(rest, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
  }

  private void header(String name, char type, String mode, int size) throws IOException {
    byte[] header = new byte[BLOCK];
    put(header, 0, name.getBytes(StandardCharsets.UTF_8), NAME);
    put(header, 100, ascii(mode), 8);
    put(header, 108, ascii("0000000"), 8); // owner and group: root
    put(header, 116, ascii("0000000"), 8);
    put(header, 124, ascii("%011o".formatted(size)), 12);
    put(header, 136, ascii("%011o".formatted(time)), 12);
    put(header, 148, ascii("        "), 8); // counts as blanks in its own sum
    header[156] = (byte) type;
    put(header, 257, ascii("ustar\00000"), 8);
    int sum = 0;
    for (byte one : header) {
      sum += one & 0xff;
    }
    put(header, 148, ascii("%06o\0 ".formatted(sum)), 8);
    out.write(header);
  }

  private static void put(byte[] header, int at, byte[] text, int most) {
    System.arraycopy(text, 0, header, at, Math.min(text.length, most));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private void content(byte[] bytes) throws IOException {
    out.write(bytes);
    out.write(new byte[-bytes.length & (BLOCK - 1)]);
  }

  @Override
  public void close() throws IOException {
    try (out) {
      out.write(new byte[2 * BLOCK]);
    }
  }

  /**
   * Unpacks one into an empty folder. Links and devices are left out: a report has none.
   *
   * @throws IOException when it is no such archive, or would write outside of the folder
   */
  public static void unpack(Path archive, Path folder) throws IOException {
    long left = MOST;
    String path = "";
    try (InputStream in = new GZIPInputStream(Files.newInputStream(archive))) {
      byte[] header = new byte[BLOCK];
      while (read(in, header) && header[0] != 0) {
        String name = path.isEmpty() ? name(header) : path;
        path = "";
        long size = size(archive, header);
        left -= size;
        if (left < 0) {
          throw new IOException(archive + " holds more than " + (MOST >> 20) + " MB");
        }
        byte[] bytes = new byte[(int) size];
        readAll(in, bytes);
        readAll(in, new byte[-bytes.length & (BLOCK - 1)]);
        switch (header[156]) {
          case 'x' -> path = pathOf(bytes);
          case '5' -> Files.createDirectories(inside(archive, folder, name));
          case '0', 0 -> {
            Path file = inside(archive, folder, name);
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Files.write(file, bytes);
          }
          default -> {
            continue; // what a report has not
          }
        }
      }
    } catch (ZipException | EOFException e) {
      throw new IOException(archive + " is no archive of tar and gzip, or a part of one", e);
    }
  }

  private static Path inside(Path archive, Path folder, String name) throws IOException {
    Path file = folder.resolve(name.replaceFirst("^/+", "")).normalize();
    if (!file.startsWith(folder) || file.equals(folder)) {
      throw new IOException(archive + " holds '" + name + "', which is outside of it");
    }
    return file;
  }

  private static String name(byte[] header) {
    String prefix = text(header, 345, 155);
    String name = text(header, 0, NAME);
    return text(header, 257, 5).equals("ustar") && !prefix.isEmpty() ? prefix + "/" + name : name;
  }

  private static String text(byte[] header, int at, int most) {
    int end = at;
    while (end < at + most && header[end] != 0) {
      end++;
    }
    return new String(header, at, end - at, StandardCharsets.UTF_8);
  }

  private static long size(Path archive, byte[] header) throws IOException {
    String text = text(header, 124, 12).strip();
    if (!text.matches("[0-7]{1,11}")) {
      throw new IOException(archive + " is no archive of tar and gzip, or a part of one");
    }
    return Long.parseLong(text, 8);
  }

  private static String pathOf(byte[] records) {
    for (String line : new String(records, StandardCharsets.UTF_8).split("\n")) {
      int at = line.indexOf(" path=");
      if (at > 0) {
        return line.substring(at + " path=".length());
      }
    }
    return "";
  }

  private static boolean read(InputStream in, byte[] block) throws IOException {
    int read = in.readNBytes(block, 0, block.length);
    return read == block.length;
  }

  private static void readAll(InputStream in, byte[] bytes) throws IOException {
    if (!read(in, bytes)) {
      throw new EOFException();
    }
  }
}

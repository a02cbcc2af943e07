package dev.sund.doctor;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads a file of text to its end, one of the kernel too. */
public final class WholeFile {
  private static final int READ_BYTES = 64 << 10;

  private WholeFile() {}

  /**
   * A file's text. Files of the kernel say that they are empty, which makes {@link
   * Files#readAllBytes} begin with a read of one byte: a sysctl gives its first digit then, and no
   * more. So the first read is a large one.
   *
   * @throws NoSuchFileException when there is none
   * @throws AccessDeniedException when this user may not read it
   * @throws IOException when it cannot be read; the message is the reason alone
   */
  public static String text(Path file) throws IOException {
    return text(file, buffer());
  }

  /** Room for the reads of many files. */
  static byte[] buffer() {
    return new byte[READ_BYTES];
  }

  /** A file's text, read by way of a {@link #buffer}. */
  static String text(Path file, byte[] part) throws IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      int first = Math.max(0, in.read(part));
      int next = first == 0 ? -1 : in.read(part, first, part.length - first);
      if (next < 0) {
        return new String(part, 0, first, StandardCharsets.UTF_8);
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.write(part, 0, first + next);
      for (int read = in.read(part); read >= 0; read = in.read(part)) {
        bytes.write(part, 0, read);
      }
      return bytes.toString(StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw reason(file, e);
    }
  }

  /** {@code FileInputStream} calls everything "not found". */
  private static IOException reason(Path file, FileNotFoundException e) {
    String name = file.toString();
    if (!Files.exists(file)) {
      return new NoSuchFileException(name);
    }
    String said = String.valueOf(e.getMessage());
    return said.endsWith("(Permission denied)")
        ? new AccessDeniedException(name)
        : new IOException(said.replace(name + " ", ""), e);
  }
}

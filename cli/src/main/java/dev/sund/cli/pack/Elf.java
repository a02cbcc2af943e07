package dev.sund.cli.pack;

import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What a program or library for Linux says of the libraries that it links with, read without
 * running it: so also of one for another machine. Numbers are those of the System V ABI, chapter
 * "Object files", and of the LSB, "Symbol versioning".
 *
 * @param needed names of libraries, such as {@code libc.so.6}
 * @param versions by library, the versions of its symbols that are asked for: {@code GLIBC_2.34}
 * @param defined the versions of symbols that it has itself
 */
record Elf(Set<String> needed, Map<String, Set<String>> versions, Set<String> defined) {
  private static final byte[] MAGIC = {0x7f, 'E', 'L', 'F', 2, 1}; // 64 bits, least byte first
  private static final int SECTIONS_OFFSET = 0x28;
  private static final int SECTION_SIZE_OFFSET = 0x3a;
  private static final int SECTION_COUNT_OFFSET = 0x3c;
  private static final int DYNAMIC = 6;
  private static final int VERSIONS_DEFINED = 0x6ffffffd;
  private static final int VERSIONS_NEEDED = 0x6ffffffe;
  private static final long NEEDED = 1;
  private static final String GLIBC = "GLIBC_";

  /** A part of the file, of one kind. */
  private record Section(int type, int offset, int size, int link) {}

  /**
   * Reads a file.
   *
   * @return nothing unless it is an ELF file of a 64-bit machine with the least byte first
   * @throws IOException also when it contradicts itself
   */
  static Optional<Elf> read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      if (channel.size() < 0x40 || channel.size() > Integer.MAX_VALUE) {
        return Optional.empty();
      }
      ByteBuffer bytes =
          channel.map(MapMode.READ_ONLY, 0, channel.size()).order(ByteOrder.LITTLE_ENDIAN);
      byte[] start = new byte[MAGIC.length];
      bytes.get(0, start);
      return Arrays.equals(start, MAGIC) ? Optional.of(read(bytes)) : Optional.empty();
    } catch (IndexOutOfBoundsException e) {
      throw new IOException(file + " is no whole ELF file", e);
    }
  }

  /** All such files below a folder. */
  static Map<Path, Elf> below(Path folder) throws IOException {
    Map<Path, Elf> found = new TreeMap<>();
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      read(file).ifPresent(elf -> found.put(file, elf));
    }
    return found;
  }

  /** The newest version of the GNU C library that symbols are asked of. */
  Optional<Version> glibc() {
    return versions.values().stream()
        .flatMap(Set::stream)
        .filter(version -> version.matches(GLIBC + "[0-9.]+"))
        .map(version -> Version.parse(version.substring(GLIBC.length())))
        .max(Version::compareTo);
  }

  private static Elf read(ByteBuffer bytes) {
    int at = Math.toIntExact(bytes.getLong(SECTIONS_OFFSET));
    int size = Short.toUnsignedInt(bytes.getShort(SECTION_SIZE_OFFSET));
    int count = Short.toUnsignedInt(bytes.getShort(SECTION_COUNT_OFFSET));
    Section[] sections = new Section[count];
    for (int i = 0; i < count; i++) {
      int from = at + i * size;
      sections[i] =
          new Section(
              bytes.getInt(from + 4),
              (int) bytes.getLong(from + 0x18),
              (int) bytes.getLong(from + 0x20),
              bytes.getInt(from + 0x28));
    }
    Elf elf = new Elf(new TreeSet<>(), new TreeMap<>(), new TreeSet<>());
    for (Section section : sections) {
      if (section.type() == DYNAMIC) {
        elf.readNeeded(bytes, section, sections[section.link()].offset());
      } else if (section.type() == VERSIONS_NEEDED) {
        elf.readVersions(bytes, section, sections[section.link()].offset());
      } else if (section.type() == VERSIONS_DEFINED) {
        elf.readDefined(bytes, section, sections[section.link()].offset());
      }
    }
    return elf;
  }

  private void readNeeded(ByteBuffer bytes, Section section, int texts) {
    for (int at = section.offset(); at < section.offset() + section.size(); at += 16) {
      if (bytes.getLong(at) == NEEDED) {
        needed.add(text(bytes, texts + (int) bytes.getLong(at + 8)));
      }
    }
  }

  private void readVersions(ByteBuffer bytes, Section section, int texts) {
    int next = 1;
    for (int library = section.offset(); next != 0; library += next) {
      Set<String> wanted =
          versions.computeIfAbsent(
              text(bytes, texts + bytes.getInt(library + 4)), _ -> new TreeSet<>());
      int one = library + bytes.getInt(library + 8);
      for (int left = Short.toUnsignedInt(bytes.getShort(library + 2)); left > 0; left--) {
        wanted.add(text(bytes, texts + bytes.getInt(one + 8)));
        one += bytes.getInt(one + 12);
      }
      next = bytes.getInt(library + 12);
    }
  }

  private void readDefined(ByteBuffer bytes, Section section, int texts) {
    int next = 1;
    for (int version = section.offset(); next != 0; version += next) {
      // The first name is the version's own; others are those that it follows.
      defined.add(text(bytes, texts + bytes.getInt(version + bytes.getInt(version + 12))));
      next = bytes.getInt(version + 16);
    }
  }

  private static String text(ByteBuffer bytes, int at) {
    int end = at;
    while (bytes.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end - at];
    bytes.get(at, text);
    return new String(text, StandardCharsets.US_ASCII);
  }
}

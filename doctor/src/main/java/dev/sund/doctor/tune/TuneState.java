package dev.sund.doctor.tune;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was there before {@code sund tune} changed it: a file {@value #FILE} in the state directory,
 * written before anything is changed. Of what is changed several times the first value stays.
 *
 * @param keys by key with slashes, in the order in which they were set
 * @param besides keys that the kernel changes with others, and what they were
 * @param files by path without the leading slash
 * @param modules that were loaded
 * @param folders that were made
 */
record TuneState(
    Map<String, Key> keys,
    Map<String, String> besides,
    Map<String, Before> files,
    List<String> modules,
    List<String> folders) {
  static final String FILE = "tune";
  private static final String VERSION = "sund-tune 1";

  /**
   * A running value.
   *
   * @param before as the kernel showed it
   * @param ours words with one space between
   */
  record Key(String before, String ours) {}

  /**
   * A file.
   *
   * @param bytes empty when there was none
   */
  record Before(Optional<byte[]> bytes) {}

  static TuneState empty() {
    return new TuneState(
        new LinkedHashMap<>(),
        new LinkedHashMap<>(),
        new LinkedHashMap<>(),
        new ArrayList<>(),
        new ArrayList<>());
  }

  /**
   * What is kept in a state directory.
   *
   * @throws NotTunedException when another release wrote it, or it is damaged
   */
  static Optional<TuneState> read(Path directory) throws IOException, NotTunedException {
    Path file = directory.resolve(FILE);
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
    if (lines.isEmpty() || !lines.getFirst().equals(VERSION)) {
      throw new NotTunedException(
          file
              + " begins with '"
              + (lines.isEmpty() ? "" : lines.getFirst())
              + "', and this release reads '"
              + VERSION
              + "' only.",
          "Revert with the release that wrote it, or put back by hand what it lists and remove it.");
    }
    TuneState state = empty();
    for (String line : lines.subList(1, lines.size())) {
      if (!state.take(line.split("\t", -1))) {
        throw new NotTunedException(
            file + " has the line '" + line + "', which is not understood.",
            "Put back by hand what it lists, and remove it.");
      }
    }
    return Optional.of(state);
  }

  private boolean take(String[] words) {
    switch (words[0]) {
      case "key" -> {
        return words.length == 4
            && keys.put(words[1], new Key(plain(words[2]), plain(words[3]))) == null;
      }
      case "besides" -> {
        return words.length == 3 && besides.put(words[1], plain(words[2])) == null;
      }
      case "file" -> {
        return words.length == 3 && files.put(words[1], before(words[2])) == null;
      }
      case "module" -> {
        return words.length == 2 && modules.add(words[1]);
      }
      case "folder" -> {
        return words.length == 2 && folders.add(words[1]);
      }
      default -> {
        return false;
      }
    }
  }

  private static Before before(String text) {
    return new Before(
        text.equals("absent") ? Optional.empty() : Optional.of(Base64.getDecoder().decode(text)));
  }

  /** Writes it; whoever reads it sees the whole of it or the one before. */
  void write(Path directory) throws IOException {
    List<String> lines = new ArrayList<>(List.of(VERSION));
    keys.forEach((key, one) ->
        lines.add("key\t" + key + "\t" + escaped(one.before) + "\t" + escaped(one.ours)));
    besides.forEach((key, value) -> lines.add("besides\t" + key + "\t" + escaped(value)));
    files.forEach((path, one) ->
        lines.add(
            "file\t"
                + path
                + "\t"
                + one.bytes.map(Base64.getEncoder()::encodeToString).orElse("absent")));
    modules.forEach(module -> lines.add("module\t" + module));
    folders.forEach(folder -> lines.add("folder\t" + folder));
    Files.createDirectories(directory);
    replace(
        directory.resolve(FILE),
        (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** Gives a file other contents at once: it is the old or the new, also after a power cut. */
  static void replace(Path file, byte[] bytes) throws IOException {
    Path fresh = file.resolveSibling("." + file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      java.nio.ByteBuffer rest = java.nio.ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(fresh);
      throw e;
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  TuneState copy() {
    return new TuneState(
        new LinkedHashMap<>(keys),
        new LinkedHashMap<>(besides),
        new LinkedHashMap<>(files),
        new ArrayList<>(modules),
        new ArrayList<>(folders));
  }

  /** The kernel separates some values by tabs. */
  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
  }

  private static String plain(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        char next = text.charAt(++i);
        plain.append(next == 't' ? '\t' : next == 'n' ? '\n' : next);
      } else {
        plain.append(c);
      }
    }
    return plain.toString();
  }
}

package dev.sund.doctor.tune;

import dev.sund.doctor.Result;
import dev.sund.doctor.Setting;
import java.util.List;
import java.util.Optional;

/**
 * What would make this machine's settings right, and what is left as it is.
 *
 * @param keys of the file of settings, in the order in which they are set
 * @param modules of the file of modules
 * @param left what lists on the web tell to set, and what is better left
 * @param unread checks that could not read what they need: of their keys nothing is known
 * @param files what the files should say, none where nothing has to be set
 */
public record TunePlan(
    List<Key> keys, List<Module> modules, List<Left> left, List<Result> unread, List<File> files) {
  public TunePlan {
    keys = List.copyOf(keys);
    modules = List.copyOf(modules);
    left = List.copyOf(left);
    unread = List.copyOf(unread);
    files = List.copyOf(files);
  }

  /**
   * A key.
   *
   * @param key with slashes
   * @param now what holds; empty where its module is not loaded
   * @param setBy the file that sets it at the next start, without ours; empty when none does
   * @param wanted what should hold
   * @param why what is wrong without it
   * @param overridden a file that is read after ours and sets something else at the next start
   * @param note who else sets it; empty when nobody is known to
   */
  public record Key(
      String key,
      Optional<String> now,
      String setBy,
      String wanted,
      String why,
      Optional<String> overridden,
      String note) {
    /** Whether something else holds now. */
    public boolean differs() {
      return !now.equals(Optional.of(wanted));
    }

    /** As people write it. */
    public String written() {
      return Setting.Sysctl.written(key);
    }
  }

  /**
   * A module.
   *
   * @param loaded whether the kernel has it
   * @param why what needs it
   */
  public record Module(String name, boolean loaded, String why) {}

  /**
   * A key that is right as it is, whatever lists say.
   *
   * @param key with slashes
   * @param now what holds
   * @param why why it is left
   */
  public record Left(String key, String now, String why) {}

  /**
   * A file.
   *
   * @param path without the leading slash
   * @param text what it should say
   * @param differs whether it is not there or says something else
   */
  public record File(String path, String text, boolean differs) {}

  /** Whether applying it would change something. */
  public boolean changes() {
    return keys.stream().anyMatch(Key::differs)
        || modules.stream().anyMatch(module -> !module.loaded())
        || files.stream().anyMatch(File::differs);
  }
}

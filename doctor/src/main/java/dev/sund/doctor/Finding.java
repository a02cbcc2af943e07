package dev.sund.doctor;

import java.util.ArrayList;
import java.util.List;

/**
 * One thing that is wrong.
 *
 * @param severity how bad it is here
 * @param object what it is about: a device, a sysctl, a table
 * @param text what was found, with the numbers; whole sentences
 * @param why what it does to the network; whole sentences
 * @param remedy a command or a setting that mends it
 * @param settings what mends it and can be set as it is, in this order; {@code sund tune} does that
 */
public record Finding(
    Severity severity,
    String object,
    String text,
    String why,
    String remedy,
    List<Setting> settings) {
  public Finding {
    settings = List.copyOf(settings);
  }

  /** Something that no setting alone mends. */
  public Finding(Severity severity, String object, String text, String why, String remedy) {
    this(severity, object, text, why, remedy, List.of());
  }

  /**
   * Something that settings mend.
   *
   * @param more what else is to be said of the remedy, with the sign before it; may be empty
   */
  public static Finding set(
      Severity severity,
      String object,
      String text,
      String why,
      List<? extends Setting> settings,
      String more) {
    return new Finding(
        severity, object, text, why, commands(settings) + more, List.copyOf(settings));
  }

  private static String commands(List<? extends Setting> settings) {
    List<String> modules = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (Setting setting : settings) {
      switch (setting) {
        case Setting.Module module -> modules.add(module.toString());
        case Setting.Sysctl key -> keys.add(key.toString());
      }
    }
    List<String> commands = new ArrayList<>();
    if (!modules.isEmpty()) {
      commands.add("modprobe " + (modules.size() > 1 ? "-a " : "") + String.join(" ", modules));
    }
    if (!keys.isEmpty()) {
      commands.add("sysctl -w " + String.join(" ", keys));
    }
    return String.join(" && ", commands);
  }
}

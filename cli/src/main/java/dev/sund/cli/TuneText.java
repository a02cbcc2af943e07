package dev.sund.cli;

import dev.sund.doctor.Result;
import dev.sund.doctor.Setting;
import dev.sund.doctor.tune.TunePlan;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code sund tune} would change, for people and for programs. */
record TuneText(Colours colours) {
  private static final String LINE = "%-8s %s%n";

  void print(TunePlan plan, PrintWriter out) {
    for (TunePlan.Key key : plan.keys()) {
      if (key.differs()) {
        out.printf(
            LINE,
            colours.warning("%-8s".formatted("set")),
            "%s  %s -> %s%s"
                .formatted(
                    key.written(),
                    key.now().orElse("(its module is not loaded)"),
                    key.wanted(),
                    key.setBy().isEmpty() ? "" : "  (/" + key.setBy() + " sets it)"));
        out.printf(LINE, "", key.why());
      } else {
        out.printf(LINE, "holds", key.written() + "  " + key.wanted());
      }
    }
    for (TunePlan.Module module : plan.modules()) {
      if (module.loaded()) {
        out.printf(LINE, "loaded", module.name() + ", for " + module.why());
      } else {
        out.printf(LINE, colours.warning("%-8s".formatted("load")), module.name());
        out.printf(LINE, "", module.why());
      }
    }
    for (TunePlan.File file : plan.files()) {
      if (file.differs()) {
        out.printf(LINE, colours.warning("%-8s".formatted("write")), "/" + file.path());
      }
    }
    for (TunePlan.Left left : plan.left()) {
      out.printf(
          LINE,
          "leave",
          "%s  %s: %s".formatted(Setting.Sysctl.written(left.key()), left.now(), left.why()));
    }
    notes(plan, out);
    out.println(
        plan.changes()
            ? "sund tune --apply does it; nothing has been changed"
            : "nothing would change");
  }

  /** What stands in the way of the next start, and what is not known. */
  void notes(TunePlan plan, PrintWriter out) {
    for (TunePlan.Key key : plan.keys()) {
      key.overridden()
          .ifPresent(file ->
              out.printf(
                  LINE,
                  colours.bad("%-8s".formatted("but")),
                  "/%s is read after ours and sets %s otherwise at the next start: remove the line there"
                      .formatted(file, key.written())));
      if (!key.note().isEmpty()) {
        out.printf(LINE, "but", key.written() + ": " + key.note());
      }
    }
    for (Result result : plan.unread()) {
      if (result.outcome() instanceof Result.Unread(var why, var remedy)) {
        out.printf(
            LINE,
            colours.warning("%-8s".formatted("unread")),
            result.check().id() + " could not read: " + why + ". " + remedy);
      }
    }
  }

  /** All of it, for programs. */
  static Map<String, Object> whole(TunePlan plan) {
    List<Object> keys = new ArrayList<>();
    for (TunePlan.Key key : plan.keys()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("key", key.written());
      key.now().ifPresent(now -> fields.put("now", now));
      fields.put("setBy", key.setBy());
      fields.put("wanted", key.wanted());
      fields.put("differs", key.differs());
      fields.put("why", key.why());
      key.overridden().ifPresent(file -> fields.put("overriddenBy", file));
      fields.put("note", key.note());
      keys.add(fields);
    }
    List<Object> modules = new ArrayList<>();
    for (TunePlan.Module module : plan.modules()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("module", module.name());
      fields.put("loaded", module.loaded());
      fields.put("why", module.why());
      modules.add(fields);
    }
    List<Object> files = new ArrayList<>();
    for (TunePlan.File file : plan.files()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("path", "/" + file.path());
      fields.put("differs", file.differs());
      fields.put("text", file.text());
      files.add(fields);
    }
    List<Object> left = new ArrayList<>();
    for (TunePlan.Left one : plan.left()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("key", Setting.Sysctl.written(one.key()));
      fields.put("now", one.now());
      fields.put("why", one.why());
      left.add(fields);
    }
    List<Object> unread = new ArrayList<>();
    for (Result result : plan.unread()) {
      if (result.outcome() instanceof Result.Unread(var why, var remedy)) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("check", result.check().id());
        fields.put("text", why);
        fields.put("remedy", remedy);
        unread.add(fields);
      }
    }
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("changes", plan.changes());
    whole.put("keys", keys);
    whole.put("modules", modules);
    whole.put("files", files);
    whole.put("leave", left);
    whole.put("unread", unread);
    return whole;
  }
}

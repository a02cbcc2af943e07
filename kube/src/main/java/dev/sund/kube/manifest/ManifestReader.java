package dev.sund.kube.manifest;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.Problem;
import dev.sund.kube.tree.DocumentSink;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import dev.sund.model.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Takes texts one after another and collects objects and findings. Not for several threads. */
final class ManifestReader {
  private final ObjectTaker taker;
  private final List<ManifestObject> objects = new ArrayList<>();
  private final List<Finding> errors = new ArrayList<>();
  private final List<Finding> warnings = new ArrayList<>();
  private final Map<String, Place> places = new HashMap<>();
  private final Map<String, Note> notes = new LinkedHashMap<>();
  private Optional<FabricSettings> fabric = Optional.empty();

  /** One that shows each object to another reader too. */
  ManifestReader(ObjectTaker taker) {
    this.taker = taker;
  }

  /** Where an object was first. */
  private record Place(String file, int line) {}

  /** A warning about many objects, told once. */
  private static final class Note {
    private final String file;
    private final int line;
    private final int column;
    private final Condition first;
    private int objects;
    private String lastObject = "";

    Note(String file, Tree at, Condition first) {
      this.file = file;
      this.line = at.line();
      this.column = at.column();
      this.first = first;
    }

    void countIn(String object) {
      if (!object.equals(lastObject)) {
        objects++;
        lastObject = object;
      }
    }
  }

  void add(Finding finding) {
    (finding.isError() ? errors : warnings).add(finding);
  }

  Manifests finish() {
    List<Finding> findings = new ArrayList<>(errors);
    findings.addAll(warnings);
    notes.values().forEach(note -> findings.add(finding(note)));
    return new Manifests(objects, fabric, findings);
  }

  private static Finding finding(Note note) {
    Condition first = note.first;
    String count = note.objects == 1 ? "1 object has it" : note.objects + " objects have it";
    Condition counted =
        new Condition(
            first.reason(),
            first.object(),
            first.field(),
            first.text() + " (" + count + ", first here).",
            first.remedy());
    return new Finding(note.file, note.line, note.column, counted, "");
  }

  void text(String file, String text) {
    Source source = new Source(file, text);
    Optional<LostIndentation.Place> lost = LostIndentation.find(source.text.toString());
    if (lost.isPresent()) {
      add(source.flattened(lost.get()));
      return;
    }
    try {
      if (source.text.looksLikeJson()) {
        JsonTrees.read(source.text.toString(), source);
      } else {
        YamlTrees.read(source.text.toString(), source);
      }
    } catch (MalformedException e) {
      Condition condition =
          new Condition(
              Reason.MALFORMED,
              new ObjectRef("File", file),
              "",
              "line " + e.line() + ", column " + e.column() + ": " + e.getMessage() + ".",
              "Correct the text; what follows in this file is not read.");
      add(
          new Finding(
              file, e.line(), e.column(), condition, source.text.excerpt(e.line(), e.column())));
    }
  }

  /** One text: its documents, its lines. */
  private final class Source implements DocumentSink {
    private final String file;
    private final SourceText text;
    private final List<Tree> items = new ArrayList<>();

    Source(String file, String text) {
      this.file = file;
      this.text = new SourceText(text);
    }

    @Override
    public void item(Tree item) {
      // An element that states its kind can be taken at once, so that a dump costs no more memory
      // than what is kept of it; one of a typed list (NodeList) waits for the list's own kind.
      if (item instanceof Tree.Mapping mapping && mapping.text("kind").isPresent()) {
        object(mapping);
      } else {
        items.add(item);
      }
    }

    @Override
    public void document(Tree document) {
      if (!(document instanceof Tree.Mapping mapping)) {
        items.clear();
        noObject(document, "a Kubernetes object is needed, but here is " + document.described());
        return;
      }
      Optional<String> kind = mapping.text("kind");
      if (kind.isPresent() && kind.get().endsWith("List") && mapping.get("items").isPresent()) {
        list(mapping, kind.get());
      } else {
        object(mapping);
      }
      items.clear();
    }

    Finding flattened(LostIndentation.Place place) {
      Condition condition =
          new Condition(
              Reason.MALFORMED,
              new ObjectRef("File", file),
              place.parent(),
              "the text has lost its indentation: '%s' belongs below '%s', but stands beside it."
                  .formatted(place.key(), place.parent()),
              "Indent what belongs to '"
                  + place.parent()
                  + "' by two blanks, or copy the listing from its source.");
      return located(place.line(), 1, condition);
    }

    private void list(Tree.Mapping list, String kind) {
      String itemKind = kind.substring(0, kind.length() - "List".length());
      for (Tree item : items) {
        if (item instanceof Tree.Mapping mapping && !itemKind.isEmpty()) {
          Map<String, Tree> whole = new LinkedHashMap<>();
          list.get("apiVersion").ifPresent(version -> whole.put("apiVersion", version));
          whole.put("kind", new Tree.Scalar(itemKind, true, item.line(), item.column()));
          whole.putAll(mapping.fields());
          object(new Tree.Mapping(whole, item.line(), item.column()));
        } else if (item instanceof Tree.Mapping mapping) {
          object(mapping);
        } else {
          noObject(item, "a Kubernetes object is needed, but here is " + item.described());
        }
      }
    }

    private void object(Tree.Mapping tree) {
      String kind = tree.text("kind").orElse("");
      String version = tree.text("apiVersion").orElse("");
      if (kind.isEmpty() || version.isEmpty()) {
        String missing = kind.isEmpty() ? "kind" : "apiVersion";
        String example = kind.isEmpty() ? "kind: Pod" : "apiVersion: v1";
        noObject(tree, missing, "the field is missing", "Write it, such as '" + example + "'.");
        return;
      }
      if (FabricObject.is(version, kind)) {
        fabric(tree);
        return;
      }
      boolean taken = taker.take(file, tree);
      Optional<Kinds> known = Kinds.of(version, kind);
      if (known.isEmpty()) {
        if (!taken) {
          unknown(tree, kind, version);
        }
        return;
      }
      Optional<ObjectRef> ref = known.get().ref(tree);
      if (ref.isEmpty()) {
        Tree at = tree.get("metadata").orElse(tree);
        add(
            located(
                at.line(),
                at.column(),
                new Condition(
                    Reason.INVALID_FIELD,
                    new ObjectRef(kind, "without a name"),
                    "metadata.name",
                    "the field is missing.",
                    "Give the object a name.")));
        return;
      }
      if (!known.get().reads(ref.get())) {
        if (!taken) {
          unknown(tree, kind, version);
        }
        return;
      }
      known(known.get(), version, ref.get(), tree);
    }

    private void fabric(Tree.Mapping tree) {
      Parsed<FabricSettings> parsed = FabricObject.parse(tree);
      addSorted(parsed.problems());
      if (fabric.isPresent()) {
        Condition twice =
            new Condition(
                Reason.INVALID_FIELD,
                FabricObject.REF,
                "kind",
                "there is another Fabric before it.",
                "Leave one of them out; the first is used.");
        add(located(tree.line(), tree.column(), twice));
      } else {
        fabric = parsed.value();
      }
    }

    private void addSorted(List<Problem> problems) {
      problems.stream()
          .sorted(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column))
          .forEach(problem -> add(located(problem.line(), problem.column(), problem.condition())));
    }

    private void known(Kinds kind, String version, ObjectRef ref, Tree.Mapping tree) {
      Place before = places.putIfAbsent(version + " " + ref, new Place(file, tree.line()));
      if (before != null) {
        Condition twice =
            new Condition(
                Reason.INVALID_FIELD,
                ref,
                "metadata.name",
                "the object is already in " + before.file() + ":" + before.line() + ".",
                "Leave one of them out; the first is used.");
        add(located(tree.line(), tree.column(), twice));
        return;
      }
      kind.shape()
          .check(
              tree,
              (path, value, why) -> {
                String what = why.isEmpty() ? "no such field is known" : "not used: " + why;
                String remedy = why.isEmpty() ? "Check its spelling." : "Nothing needs to be done.";
                note(ref, value, new Condition(Reason.IGNORED_FIELD, ref, path, what, remedy));
              });
      Parsed<ClusterEvent> parsed = kind.parse(ref, tree);
      addSorted(parsed.problems());
      // A policy with errors is in force all the same, and denies what is not understood.
      boolean refused =
          parsed.value().isEmpty() && parsed.problems().stream().anyMatch(Problem::isError);
      Optional<ClusterEvent> event =
          refused ? Optional.of(Kinds.refused(ref, parsed.problems())) : parsed.value();
      objects.add(new ManifestObject(kind, version, ref, tree, event));
    }

    private void unknown(Tree.Mapping tree, String kind, String version) {
      Tree at = tree.get("apiVersion").orElse(tree);
      String name =
          tree.mapping("metadata").flatMap(meta -> meta.text("name")).orElse("without a name");
      for (Kinds candidate : Kinds.values()) {
        if (candidate.apiVersions().contains(version)) {
          continue;
        }
        boolean sameGroup =
            candidate.apiVersions().stream().anyMatch(v -> group(v).equals(group(version)));
        if (candidate.kind().equals(kind) && sameGroup) {
          String versions = String.join(" or ", candidate.apiVersions());
          Condition wrong =
              new Condition(
                  Reason.NOT_SUPPORTED,
                  new ObjectRef(kind, name),
                  "apiVersion",
                  "'" + version + "' is a version that Sund does not read.",
                  "Write " + versions + ".");
          add(located(at.line(), at.column(), wrong));
          return;
        }
      }
      String group = group(version);
      String full = group.isEmpty() ? kind : kind + "." + group;
      Condition ignored =
          new Condition(
              Reason.IGNORED_KIND,
              new ObjectRef(kind, name),
              "kind",
              LaterKinds.said(full),
              LaterKinds.remedy(full));
      String key = "kind " + full;
      notes.computeIfAbsent(key, _ -> new Note(file, tree, ignored)).objects++;
    }

    private static String group(String apiVersion) {
      int slash = apiVersion.indexOf('/');
      return slash < 0 ? "" : apiVersion.substring(0, slash);
    }

    private void note(ObjectRef ref, Tree at, Condition condition) {
      String key = ref.kind() + " " + condition.field();
      notes.computeIfAbsent(key, _ -> new Note(file, at, condition)).countIn(ref.toString());
    }

    private void noObject(Tree at, String what) {
      noObject(at, "", what, "Write a mapping with apiVersion, kind and metadata.");
    }

    private void noObject(Tree at, String field, String what, String remedy) {
      Condition condition =
          new Condition(
              Reason.INVALID_FIELD, new ObjectRef("File", file), field, what + ".", remedy);
      add(located(at.line(), at.column(), condition));
    }

    private Finding located(int line, int column, Condition condition) {
      String excerpt = condition.severity() == Severity.ERROR ? text.excerpt(line, column) : "";
      return new Finding(file, line, column, condition, excerpt);
    }
  }
}

package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Objects as rows of text, which {@code kubectl get} asks for instead of the objects. */
final class Tables {
  private static final Pattern WANTED =
      Pattern.compile("as=Table;v=(v1|v1beta1);g=meta\\.k8s\\.io");

  private final InstantSource clock;
  private final Definitions definitions;

  Tables(InstantSource clock, Definitions definitions) {
    this.clock = clock;
    this.definitions = definitions;
  }

  /** The version of tables that a request prefers to objects; empty when it wants objects. */
  static Optional<String> wanted(Request request) {
    String first = request.headers().getOrDefault("accept", "").split(",", 2)[0];
    Matcher matcher = WANTED.matcher(first.replace(" ", ""));
    return matcher.find() ? Optional.of("meta.k8s.io/" + matcher.group(1)) : Optional.empty();
  }

  /**
   * A table.
   *
   * @param metadata that of the list, or with the version of the one object
   */
  byte[] table(
      String apiVersion, Resource resource, List<Stored> objects, Tree metadata, Request request) {
    Columns columns = definitions.columns(resource);
    List<Tree> heads = new ArrayList<>();
    for (Columns.Column column : columns.all()) {
      heads.add(
          Json.object(
              "name",
              column.name(),
              "type",
              column.type().equals("date") ? "string" : column.type(),
              "format",
              column.format(),
              "description",
              "",
              "priority",
              column.priority()));
    }
    List<Tree> rows = new ArrayList<>();
    for (Stored object : objects) {
      rows.add(
          Json.object(
              "cells",
              Json.list(columns.cells(object, clock.instant())),
              "object",
              shown(apiVersion, object, request.parameter("includeObject"))));
    }
    Tree table =
        Json.object(
            "kind",
            "Table",
            "apiVersion",
            apiVersion,
            "metadata",
            metadata,
            "columnDefinitions",
            Json.list(heads),
            "rows",
            Json.list(rows));
    return JsonText.of(table).getBytes(StandardCharsets.UTF_8);
  }

  private static Tree shown(String apiVersion, Stored object, String include) {
    return switch (include) {
      case "Object" -> object.tree();
      case "None" -> Tree.Scalar.plain("null");
      default ->
          Json.object(
              "kind",
              "PartialObjectMetadata",
              "apiVersion",
              apiVersion,
              "metadata",
              Json.child(object.tree(), "metadata"));
    };
  }
}

# shellcheck shell=bash
draw() { echo 'digraph { node [fontname="DejaVu Sans"]; a -> b -> c; a -> c [label="ü", style=dashed] }' | run "$@"; }
for format in png gif jpg pdf ps eps xdot json plain dot cmapx canon svgz vml tk fig pov; do
	is "draws $format" . draw "-T$format"
done
for layout in neato fdp sfdp twopi circo osage patchwork; do
	is "lays out by $layout" '<svg.*<ellipse|<svg.*<polygon' draw "-K$layout" -Tsvg
done
is 'HTML labels' '<text.*>x<' run -Tsvg <<<'digraph { a [label=<<table><tr><td>x</td></tr></table>>] }'
exits 'lists formats' 1 'png:cairo:gd' run -Tpng:
is 'version' 'graphviz version 2' run -V
exits 'syntax error' 1 'syntax error in line' run -Tsvg <<<'digraph {'
exits 'no such format' 1 'not recognized' run -Tnothing <<<'digraph {}'

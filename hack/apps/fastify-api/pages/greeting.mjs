import { h } from 'preact';
import { useMemo } from 'preact/hooks';

export default ({ name }) => h('p', null, useMemo(() => `Hello, ${name}!`, [name]));
